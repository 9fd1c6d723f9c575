/* SPDX-License-Identifier: MIT */
/* Messages as they are sent, and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "mail/mail.h"

/* The message of the tests, as it is written. */
#define HEAD "Date: Thu, 29 Feb 2024 00:00:05 +0000\r\nFrom: docket@example.com\r\n"
#define REST                                          \
	"Message-ID: <1.2@example.com>\r\n"           \
	"Auto-Submitted: auto-generated\r\n"          \
	"MIME-Version: 1.0\r\n"                       \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n"

static struct mail example(void)
{
	return (struct mail){
		.from = SLICE("docket@example.com"),
		.to = SLICE("ann@example.com"),
		.subject = SLICE("Due"),
		.text = SLICE("Hello"),
		.id = SLICE("1.2@example.com"),
		.date = 1709164805,
	};
}

static void assert_written(const struct mail *mail, const char *expected)
{
	struct buf out = {0};

	assert_int_equal(mail_write(mail, &out), OK);
	buf_add_char(&out, '\0');
	assert_string_equal(out.ptr, expected);
	buf_release(&out);
}

static void plain_message(void **state)
{
	const struct mail mail = example();

	(void)state;
	assert_written(&mail, HEAD "To: ann@example.com\r\nSubject: Due\r\n" REST "Hello\r\n");
}

static void two_parts(void **state)
{
	const struct mail_header more[] = {{"X-Docket-Task", SLICE("17")}};
	struct mail mail = example();

	(void)state;
	mail.to_name = SLICE("Ann O'Neil");
	mail.html = SLICE("<p class=x>");
	mail.more = more;
	mail.more_count = COUNT_OF(more);
	assert_written(&mail,
		       HEAD "To: Ann O'Neil\r\n <ann@example.com>\r\n"
			    "Subject: Due\r\n"
			    "Message-ID: <1.2@example.com>\r\n"
			    "Auto-Submitted: auto-generated\r\n"
			    "X-Docket-Task: 17\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: multipart/alternative; boundary=\"=_docket\"\r\n\r\n"
			    "--=_docket\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			    "Hello\r\n"
			    "--=_docket\r\n"
			    "Content-Type: text/html; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			    "<p class=3Dx>\r\n"
			    "--=_docket--\r\n");
}

/* A text in a header, and the header. */
static void header_texts(void **state)
{
	static const struct {
		struct slice text;
		const char *subject, *name;
	} rows[] = {
		{SLICE("J. Doe"), "J. Doe", "=?UTF-8?Q?J=2E_Doe?="},
		{SLICE("Call \"Ann\" <a@b>"), "Call \"Ann\" <a@b>",
		 "=?UTF-8?Q?Call_=22Ann=22_=3Ca=40b=3E?="},
		{SLICE("J\xc3\xb6rg"), "=?UTF-8?Q?J=C3=B6rg?=", "=?UTF-8?Q?J=C3=B6rg?="},
		{SLICE("a\r\nBcc: eve@example.com"), "=?UTF-8?Q?a__Bcc=3A_eve=40example=2Ecom?=",
		 "=?UTF-8?Q?a__Bcc=3A_eve=40example=2Ecom?="},
		{SLICE("a\0b\x7f"), "=?UTF-8?Q?a_b_?=", "=?UTF-8?Q?a_b_?="},
		{SLICE("=?UTF-8?Q?x?="),
		 "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?=", "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?="},
		{SLICE(" a"), "=?UTF-8?Q?_a?=", "=?UTF-8?Q?_a?="},
		{SLICE("a "), "=?UTF-8?Q?a_?=", "=?UTF-8?Q?a_?="},
		/* A word has at most 48 characters and no part of a character. */
		{SLICE("\xf0\x9f\x93\x85\xf0\x9f\x93\x85\xf0\x9f\x93\x85\xf0\x9f\x93\x85\xf0\x9f\x93\x85"),
		 "=?UTF-8?Q?=F0=9F=93=85=F0=9F=93=85=F0=9F=93=85=F0=9F=93=85?=\r\n"
		 " =?UTF-8?Q?=F0=9F=93=85?=",
		 "=?UTF-8?Q?=F0=9F=93=85=F0=9F=93=85=F0=9F=93=85=F0=9F=93=85?=\r\n"
		 " =?UTF-8?Q?=F0=9F=93=85?="},
		{SLICE("A subject of more than sixty characters is written as encoded words"),
		 "=?UTF-8?Q?A_subject_of_more_than_sixty_characters_is_wri?=\r\n"
		 " =?UTF-8?Q?tten_as_encoded_words?=",
		 "=?UTF-8?Q?A_subject_of_more_than_sixty_characters_is_wri?=\r\n"
		 " =?UTF-8?Q?tten_as_encoded_words?="},
		/* Not UTF-8. */
		{SLICE("\x80\x80\x80\x80\x80\xff"),
		 "=?UTF-8?Q?=80=80=80=80=80=FF?=", "=?UTF-8?Q?=80=80=80=80=80=FF?="},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mail mail = example();
		char expected[1024];

		mail.subject = mail.to_name = rows[i].text;
		snprintf(expected, sizeof(expected),
			 HEAD "To: %s\r\n <ann@example.com>\r\nSubject: %s\r\n" REST "Hello\r\n",
			 rows[i].name, rows[i].subject);
		assert_written(&mail, expected);
	}
}

#define TEN "1234567890"

static void bodies(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{"", "\r\n"},
		{"a\n.\nb", "a\r\n.\r\nb\r\n"},
		{"a=b", "a=3Db\r\n"},
		{"a b \n\t\nc ", "a b=20\r\n=09\r\nc=20\r\n"},
		{"a\r\nb\rc", "a=0D\r\nb=0Dc\r\n"},
		{"\xc3\xa9", "=C3=A9\r\n"},
		{TEN TEN TEN TEN TEN TEN TEN "12345", TEN TEN TEN TEN TEN TEN TEN "12345\r\n"},
		{TEN TEN TEN TEN TEN TEN TEN "123456",
		 TEN TEN TEN TEN TEN TEN TEN "12345=\r\n6\r\n"},
		{TEN TEN TEN TEN TEN TEN TEN "123=", TEN TEN TEN TEN TEN TEN TEN "123=\r\n=3D\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mail mail = example();
		char expected[1024];

		mail.text = slice_of(rows[i].text);
		snprintf(expected, sizeof(expected),
			 HEAD "To: ann@example.com\r\nSubject: Due\r\n" REST "%s", rows[i].written);
		assert_written(&mail, expected);
	}
}

static void addresses(void **state)
{
	static const char *const fine[] = {"a@b", "ann.o'neil+x@example.com",
					   "a@xn--b-xga.example"};
	static const struct slice wrong[] = {
		SLICE(""),
		SLICE("a"),
		SLICE("@"),
		SLICE("a@"),
		SLICE("@b"),
		SLICE("a@b@c"),
		SLICE("a b@c"),
		SLICE("a@b\r"),
		SLICE("a\n@b"),
		SLICE("a@b\0"),
		SLICE("a@b\x7f"),
		SLICE("<a@b>"),
		SLICE("a@b>"),
		SLICE("a,b@c"),
		SLICE("a@b;"),
		SLICE("a:b@c"),
		SLICE("\"a\"@b"),
		SLICE("a@[::1]"),
		SLICE("a(b)@c"),
		SLICE("a\\b@c"),
		SLICE("a@b/c"),
		SLICE("a@b%20"),
		SLICE("a@b.."),
		SLICE("a@-b"),
		SLICE("j\xc3\xb6rg@b"),
		SLICE("a@b\xc3\xbc"),
	};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fine); i++)
		assert_true(mail_is_address(slice_of(fine[i])));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct mail from = example(), to = example(), id = example();

		assert_false(mail_is_address(wrong[i]));
		from.from = to.to = wrong[i];
		assert_int_equal(mail_write(&from, &out), ERR_INVALID);
		assert_int_equal(mail_write(&to, &out), ERR_INVALID);
		id.id = SLICE("a>\r\n@b");
		assert_int_equal(mail_write(&id, &out), ERR_INVALID);
	}
	assert_int_equal(out.len, 0);
}

static void addresses_beyond_ascii(void **state)
{
	/* With it the addresses below have 249 and 257 bytes: 254 are allowed. */
	static const char label[] = "a.12345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *text, *written; /* NULL: none */
	} rows[] = {
		{"ann@example.com", "ann@example.com"},
		{"ann@b\xc3\xbc"
		 "cher.example",
		 "ann@xn--bcher-kva.example"},
		{"Ann@B\xc3\x9c"
		 "CHER.example",
		 "Ann@xn--bcher-kva.example"},
		{"ann@stra\xc3\x9f"
		 "e.example",
		 "ann@xn--strae-oqa.example"},
		{"ann@\xe4\xbe\x8b\xe3\x80\x82\xe6\xb5\x8b\xe8\xaf\x95", "ann@xn--fsq.xn--0zwm56d"},
		{"j\xc3\xb6rg@example.com", NULL},
		{"ann@b\xc3", NULL},
		{"ann@\xe2\x80\x8d.example", NULL},
		{"ann", NULL},
		{"", NULL},
	};
	char out[MAIL_ADDRESS_BYTES], text[300];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(mail_address(slice_of(rows[i].text), out),
				 rows[i].written != NULL);
		if (rows[i].written)
			assert_string_equal(out, rows[i].written);
	}
	snprintf(text, sizeof(text), "a@%s.%s.%s.%s", label, label, label, label);
	assert_int_equal(strlen(text), 249);
	assert_true(mail_address(slice_of(text), out));
	snprintf(text, sizeof(text), "abcdefghi@%s.%s.%s.%s", label, label, label, label);
	assert_false(mail_address(slice_of(text), out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_message), cmocka_unit_test(two_parts),
		cmocka_unit_test(header_texts),  cmocka_unit_test(bodies),
		cmocka_unit_test(addresses),     cmocka_unit_test(addresses_beyond_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
