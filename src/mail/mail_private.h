/* SPDX-License-Identifier: MIT */
/* What the files of mail/ share. */
#ifndef MAIL_MAIL_PRIVATE_H
#define MAIL_MAIL_PRIVATE_H

#include "mail/mail.h"

/* The folder of a URL file:DIR; NULL for another URL. */
const char *mail_folder(const char *url);

/* Whether the URL names this machine: localhost, 127.0.0.0/8 or ::1. No other name counts, because
 * what it means may change. */
bool mail_is_local(const char *url);

/* Writes the message into a file of the folder, ID.eml. A message of the same id is replaced. */
void mail_file(const char *folder, struct slice id, struct slice message,
	       struct mail_answer *answer_out);

/* Sets the answer's text from one that may have any bytes and any length. */
void mail_answer_text(struct mail_answer *answer, struct slice text);

#endif
