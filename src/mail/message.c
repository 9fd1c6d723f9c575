/* SPDX-License-Identifier: MIT */
/* Writes a message as text: the header (RFC 5322), encoded words (RFC 2047) and the MIME parts
 * (RFC 2045). libcurl has functions for MIME, but they work only while it sends. Here a server and
 * a folder of files get the same bytes, which a test can read. */
#include "mail/mail.h"

#include "base/array.h"
#include "base/timefmt.h"

#define ID_BYTES 400
#define PLAIN_CHARS 60 /* the longest text that is not encoded */
#define WORD_CHARS 48  /* of the text in an encoded word, so that its line stays below 76 */
#define LINE_CHARS 75  /* of quoted-printable, without the = that ends a broken line */
/* No line of quoted-printable contains this (RFC 2045, section 6.7). */
#define BOUNDARY "=_docket"

static bool is_graphic(unsigned char c)
{
	return c > ' ' && c < 0x7f;
}

static bool is_id(struct slice id)
{
	bool fine = id.len && id.len <= ID_BYTES;

	for (size_t i = 0; fine && i < id.len; i++)
		fine = is_graphic((unsigned char)id.ptr[i]) && !strchr("<>", id.ptr[i]);
	return fine;
}

/* Whether a header can have the text as it is. In a name before an address more characters have a
 * meaning. */
static bool is_plain(struct slice text, bool name)
{
	bool fine = text.len <= PLAIN_CHARS && !memmem(text.ptr, text.len, "=?", 2) &&
		    (!text.len || (text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' '));

	for (size_t i = 0; fine && i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		fine = c == ' ' || (is_graphic(c) && !(name && strchr("()<>[]:;@\\,.\"", c)));
	}
	return fine;
}

/* What every encoded word may have as it is (RFC 2047, section 5, rule 3). */
static bool is_word_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

static void add_word_char(struct buf *out, unsigned char c)
{
	if (c <= ' ' || c == 0x7f)
		buf_add_char(out, '_'); /* a blank, also for a control character */
	else if (is_word_char(c))
		buf_add_char(out, (char)c);
	else
		buf_printf(out, "=%02X", c);
}

/* The bytes of the character at `at`; at most 4, whatever the text has. */
static size_t char_bytes(struct slice text, size_t at)
{
	size_t bytes = 1;

	while (bytes < 4 && at + bytes < text.len &&
	       ((unsigned char)text.ptr[at + bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

/* Encoded words of whole characters, each on a line of its own. */
static void add_words(struct buf *out, struct slice text)
{
	size_t begin = 0;

	for (size_t at = 0, bytes; at < text.len; at += bytes) {
		bytes = char_bytes(text, at);
		if (!begin || out->len - begin + 3 * bytes > WORD_CHARS) {
			buf_add_text(out, begin ? "?=\r\n =?UTF-8?Q?" : "=?UTF-8?Q?");
			begin = out->len;
		}
		for (size_t i = 0; i < bytes; i++)
			add_word_char(out, (unsigned char)text.ptr[at + i]);
	}
	buf_add_text(out, "?=");
}

static void add_text(struct buf *out, struct slice text, bool name)
{
	if (is_plain(text, name))
		buf_add_slice(out, text);
	else
		add_words(out, text);
}

static void add_header(struct buf *out, const char *name, struct slice value)
{
	buf_printf(out, "%s: ", name);
	add_text(out, value, false);
	buf_add_text(out, "\r\n");
}

static void add_date(struct buf *out, int64_t time)
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int32_t day = date_of(time);
	int64_t second = time - (int64_t)day * 86400;
	int year, month, mday;

	date_to_civil(day, &year, &month, &mday);
	buf_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[(day % 7 + 7) % 7],
		   mday, months[month - 1], year, (int)(second / 3600), (int)(second / 60 % 60),
		   (int)(second % 60));
}

/* Quoted-printable (RFC 2045, section 6.7). A blank is encoded where it ends a line. */
static void add_quoted(struct buf *out, struct slice text)
{
	size_t begin = out->len;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool ends = i + 1 == text.len || text.ptr[i + 1] == '\n';
		bool plain = (is_graphic(c) && c != '=') || ((c == ' ' || c == '\t') && !ends);

		if (c == '\n') {
			buf_add_text(out, "\r\n");
			begin = out->len;
			continue;
		}
		if (out->len - begin + (plain ? 1 : 3) > LINE_CHARS) {
			buf_add_text(out, "=\r\n");
			begin = out->len;
		}
		if (plain)
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "=%02X", c);
	}
	buf_add_text(out, "\r\n");
}

static void add_part(struct buf *out, const char *type, struct slice text)
{
	buf_printf(out,
		   "Content-Type: text/%s; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		   type);
	add_quoted(out, text);
}

static void add_head(struct buf *out, const struct mail *mail)
{
	add_date(out, mail->date);
	buf_printf(out, "From: %.*s\r\nTo: ", (int)mail->from.len, mail->from.ptr);
	if (mail->to_name.len) {
		add_text(out, mail->to_name, true);
		buf_add_text(out, "\r\n ");
	}
	buf_printf(out, mail->to_name.len ? "<%.*s>\r\n" : "%.*s\r\n", (int)mail->to.len,
		   mail->to.ptr);
	add_header(out, "Subject", mail->subject);
	buf_printf(out, "Message-ID: <%.*s>\r\nAuto-Submitted: auto-generated\r\n",
		   (int)mail->id.len, mail->id.ptr);
	for (size_t i = 0; i < mail->more_count; i++)
		add_header(out, mail->more[i].name, mail->more[i].value);
	buf_add_text(out, "MIME-Version: 1.0\r\n");
}

enum err mail_write(const struct mail *mail, struct buf *out)
{
	if (!mail_is_address(mail->from) || !mail_is_address(mail->to) || !is_id(mail->id))
		return ERR_INVALID;
	add_head(out, mail);
	if (mail->html.len) {
		buf_add_text(out, "Content-Type: multipart/alternative; boundary=\"" BOUNDARY
				  "\"\r\n\r\n--" BOUNDARY "\r\n");
		add_part(out, "plain", mail->text);
		buf_add_text(out, "--" BOUNDARY "\r\n");
		add_part(out, "html", mail->html);
		buf_add_text(out, "--" BOUNDARY "--\r\n");
	} else {
		add_part(out, "plain", mail->text);
	}
	return out->failed ? ERR_NOMEM : OK;
}
