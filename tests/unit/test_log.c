/* SPDX-License-Identifier: MIT */
/* Lines of the log: what is escaped, cut and left out; and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/ip.h"
#include "base/log_object.h"

static void members(void **state)
{
	struct log_object object;

	(void)state;
	log_object_open(&object);
	assert_true(slice_is(log_object_close(&object), "{}\n"));
	log_object_open(&object);
	log_put_time(&object, "t", INT64_C(1676332799007));
	log_put_time(&object, "z", 0);
	log_put_text(&object, "a", SLICE("b"), 9);
	log_put_text(&object, "n", (struct slice){NULL, 0}, 9);
	log_put_plain(&object, "p", SLICE("q"));
	log_put_int(&object, "i", INT64_MIN);
	log_put_int(&object, "j", 0);
	log_put_thousandths(&object, "k", 7);
	log_put_thousandths(&object, "l", 1234567);
	log_put_null(&object, "m");
	assert_true(
		slice_is(log_object_close(&object),
			 "{\"t\":\"2023-02-13T23:59:59.007Z\",\"z\":\"1970-01-01T00:00:00.000Z\","
			 "\"a\":\"b\",\"n\":null,\"p\":\"q\",\"i\":-9223372036854775808,\"j\":0,"
			 "\"k\":0.007,\"l\":1234.567,\"m\":null}\n"));
}

static void texts(void **state)
{
	static const struct {
		struct slice text;
		const char *written;
	} rows[] = {
		{{"", 0}, ""},
		{SLICE("\"\\/"), "\\\"\\\\/"},
		{SLICE("a\0b\n\x1f\x7f"), "a\\u0000b\\u000a\\u001f\\u007f"},
		{SLICE("\xc3\xa9\xe2\x80\xae"), "\\u00e9\\u202e"},
		{SLICE("\xf0\x9f\x93\x8e\xf4\x8f\xbf\xbf"), "\\ud83d\\udcce\\udbff\\udfff"},
		{SLICE("\xff\xc0\xaf\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},
		{SLICE("\xe2\x82"), "\\ufffd"},
		{SLICE("0123456789"), "0123456789"},
		{SLICE("01234567890"), "0123456789..."},
		{SLICE("012345678\xc3\xa9"), "012345678..."},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct log_object object;
		struct slice line;

		log_object_open(&object);
		log_put_text(&object, "x", rows[i].text, 10);
		line = log_object_close(&object);
		line.ptr += 6;
		line.len -= 9;
		if (!slice_is(line, rows[i].written))
			fail_msg("%s, and not %.*s", rows[i].written, (int)line.len, line.ptr);
	}
}

/* Members that do not fit are left out, and the object is still complete. */
static void full(void **state)
{
	static char long_text[2 * LOG_OBJECT_BYTES];

	(void)state;
	for (size_t len = 0; len < sizeof(long_text); len += 7) {
		struct log_object object;
		struct slice line;

		memset(long_text, len % 2 ? 'a' : '\n', sizeof(long_text));
		log_object_open(&object);
		log_put_text(&object, "x", (struct slice){long_text, len}, len);
		log_put_text(&object, "y", SLICE("\n\n\n\n"), 4);
		log_put_plain(&object, "z", SLICE("plain"));
		log_put_int(&object, "i", INT64_MIN);
		log_put_null(&object, "n");
		log_put_thousandths(&object, "k", INT64_MAX);
		line = log_object_close(&object);
		assert_true(line.len <= LOG_OBJECT_BYTES);
		assert_memory_equal(line.ptr + line.len - 2, "}\n", 2);
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		const char *written; /* NULL: it is no address */
		const char *network;
	} rows[] = {
		{"0.0.0.0", "0.0.0.0", "0.0.0.0"},
		{"192.0.2.99", "192.0.2.99", "192.0.2.99"},
		{"255.255.255.255", "255.255.255.255", "255.255.255.255"},
		{"::ffff:10.1.100.9", "10.1.100.9", "10.1.100.9"},
		{"2001:DB8:0:1:2:3:4:5", "2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"},
		{"::1", "::1", "::"},
		{"", NULL, NULL},
		{"1.2.3", NULL, NULL},
		{"1.2.3.4:5", NULL, NULL},
		{"1.2.3.256", NULL, NULL},
		{"[::1]", NULL, NULL},
		{"fe80::1%lo", NULL, NULL},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999", NULL, NULL},
		{"11111111111111111111111111111111111111111111111", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[IP_TEXT_MAX + 1];
		struct ip ip = {{0}}, network;
		bool read = ip_parse(slice_of(rows[i].text), &ip);

		if (read != (rows[i].written != NULL))
			fail_msg("\"%s\" was%s read", rows[i].text, read ? "" : " not");
		if (!read)
			continue;
		assert_int_equal(ip_write(&ip, text), strlen(rows[i].written));
		assert_string_equal(text, rows[i].written);
		network = ip_network(&ip);
		ip_write(&network, text);
		assert_string_equal(text, rows[i].network);
	}
	assert_false(ip_parse((struct slice){"1.2.3.4\0", 8}, &(struct ip){{0}}));
}

static void sockets(void **state)
{
	const struct sockaddr unix_socket = {.sa_family = AF_UNIX};
	char text[IP_TEXT_MAX + 1];
	struct ip ip = ip_of_socket(&unix_socket);

	(void)state;
	ip_write(&ip, text);
	assert_string_equal(text, "::");
	ip = ip_of_socket(NULL);
	ip_write(&ip, text);
	assert_string_equal(text, "::");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members),   cmocka_unit_test(texts),   cmocka_unit_test(full),
		cmocka_unit_test(addresses), cmocka_unit_test(sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
