/* SPDX-License-Identifier: MIT */
/* A plain libcurl loop, for bench/mail.py: sends the message on standard input COUNT times over one
 * connection to a URL. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct message {
	char text[65536];
	size_t len, at;
};

static size_t give(char *to, size_t one, size_t size, void *context)
{
	struct message *message = context;
	size_t left = message->len - message->at;

	size = size * one < left ? size * one : left;
	memcpy(to, message->text + message->at, size);
	message->at += size;
	return size;
}

int main(int argc, char **argv)
{
	static struct message message;
	struct curl_slist *to = curl_slist_append(NULL, "second@example.com");
	CURL *curl = curl_easy_init();
	CURLcode result = CURLE_OK;

	if (argc != 3)
		return 2;
	message.len = fread(message.text, 1, sizeof(message.text), stdin);
	curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "docket@example.com");
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, &message);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)message.len);
	for (long left = strtol(argv[2], NULL, 10); left > 0 && !result; left--) {
		message.at = 0;
		result = curl_easy_perform(curl);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(to);
	return (int)result;
}
