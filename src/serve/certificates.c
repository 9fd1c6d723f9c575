/* SPDX-License-Identifier: MIT */
/* Tells when certificates expire: in the log at the start, after they were read again and once a
 * day, and in docket status. */
#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "certificates/facts.h"
#include "http/http.h"
#include "serve_private.h"

#define DAY 86400
#define WARN_DAYS 14

/* The nearest time that can be written. */
static int64_t time_in_range(int64_t time)
{
	return time < TIME_MIN ? TIME_MIN : time > TIME_MAX ? TIME_MAX : time;
}

static void certificate_log(void *context, const struct certificate_facts *certificate)
{
	const int64_t *now = context;
	bool early = *now < certificate->valid_from;
	int64_t at = early ? certificate->valid_from : certificate->valid_to;
	int64_t left = certificate->valid_to - *now;
	char text[TIMESTAMP_LEN];

	if (!early && left > WARN_DAYS * DAY)
		return;
	timestamp_write(time_in_range(at), text);
	if (early)
		log_line("warning: %s: the certificate begins to be valid at %.*s: check the clock "
			 "of this machine",
			 certificate->file, TIMESTAMP_LEN, text);
	else if (left < 0)
		log_line("warning: %s: the certificate expired at %.*s, and clients refuse it: "
			 "renew it and send SIGHUP to docket",
			 certificate->file, TIMESTAMP_LEN, text);
	else
		log_line(
			"warning: %s: the certificate expires at %.*s, in %lld day%s: renew it and "
			"send SIGHUP to docket",
			certificate->file, TIMESTAMP_LEN, text, (long long)(left / DAY),
			left / DAY == 1 ? "" : "s");
}

void certificates_log(const struct http_server *server)
{
	int64_t now = clock_now(&system_clock);

	http_each_certificate(server, certificate_log, &now);
}

static json_t *names_json(const char *names)
{
	json_t *list = json_array();

	while (*names) {
		size_t len = strcspn(names, " ");

		json_array_append_new(list, json_stringn(names, len));
		names += len + (names[len] == ' ');
	}
	return list;
}

static json_t *timestamp_json(int64_t time)
{
	char text[TIMESTAMP_LEN];

	timestamp_write(time_in_range(time), text);
	return json_stringn(text, sizeof(text));
}

static void certificate_json(void *context, const struct certificate_facts *certificate)
{
	json_t *object = json_object();

	json_object_set_new(object, "file", json_string(certificate->file));
	json_object_set_new(object, "names", names_json(certificate->names));
	json_object_set_new(object, "valid_from", timestamp_json(certificate->valid_from));
	json_object_set_new(object, "valid_to", timestamp_json(certificate->valid_to));
	json_object_set_new(
		object, "expires_in_s",
		json_integer((json_int_t)(certificate->valid_to - clock_now(&system_clock))));
	json_array_append_new(context, object);
}

json_t *certificates_json(const struct http_server *server)
{
	json_t *list = json_array();

	http_each_certificate(server, certificate_json, list);
	return list;
}
