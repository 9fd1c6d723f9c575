/* SPDX-License-Identifier: MIT */
/* The settings of alerts. */
#include "admin/admin.h"
#include "delivery/delivery.h"
#include "mail/mail.h"
#include "serve_private.h"

bool alerts_check(const struct settings *settings)
{
	struct arena arena = {0};
	struct mail_config mail;
	bool right = admin_mail(settings, &arena, &mail);

	arena_release(&arena);
	return right;
}

enum err alerts_start(const struct settings *settings, struct store *store, struct arena *arena,
		      struct delivery **delivery_out)
{
	struct delivery_config config = {
		.store = store,
		.from = slice_of(settings->text[SETTING_MAIL_FROM]),
		.base_url = urls_base(settings),
		.with_account = settings->text[SETTING_BASE_DOMAIN] != NULL,
		.per_minute = (unsigned)settings->number[SETTING_MAIL_PER_MINUTE],
		.per_account = (unsigned)settings->number[SETTING_MAIL_PER_ACCOUNT],
	};

	if (!admin_mail(settings, arena, &config.mail))
		return ERR_INVALID;
	return delivery_start(&config, delivery_out);
}
