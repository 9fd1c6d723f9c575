/* SPDX-License-Identifier: MIT */
/* A record's struct to JSON, by its field table: the hot path of every read. */
#include "base/timefmt.h"
#include "codec/codec.h"
#include "json/write.h"
#include "model/address.h"

static void encode_id(const struct field *field, const void *at, struct buf *out)
{
	int64_t id = *(const int64_t *)at;

	(void)field;
	if (id == ID_NONE)
		json_put_null(out);
	else
		json_put_int(out, id);
}

static void encode_choice(const struct field *field, const void *at, struct buf *out)
{
	json_put_plain(out, slice_of(field->choices[*(const int32_t *)at]));
}

static void encode_date(const struct field *field, const void *at, struct buf *out)
{
	char text[DATE_LEN];

	(void)field;
	if (*(const int32_t *)at == DATE_NONE) {
		json_put_null(out);
		return;
	}
	date_write(*(const int32_t *)at, text);
	json_put_plain(out, (struct slice){text, sizeof(text)});
}

static void encode_timestamp(const struct field *field, const void *at, struct buf *out)
{
	int64_t time = *(const int64_t *)at;
	char text[TIMESTAMP_LEN];

	(void)field;
	if (time == TIME_NONE) {
		json_put_null(out);
		return;
	}
	timestamp_write(time, text);
	json_put_plain(out, (struct slice){text, sizeof(text)});
}

static void encode_bool(const struct field *field, const void *at, struct buf *out)
{
	(void)field;
	json_put_raw(out, *(const int32_t *)at ? SLICE("true") : SLICE("false"));
}

static void encode_text(const struct field *field, const void *at, struct buf *out)
{
	const struct slice *text = at;

	if ((field->flags & FIELD_NULL) && !text->len)
		json_put_null(out);
	else
		json_put_text(out, *text);
}

static void encode_address(const struct field *field, const void *at, struct buf *out)
{
	const struct address *address = *(struct address *const *)at;

	(void)field;
	if (!address) {
		json_put_null(out);
		return;
	}
	json_open_object(out);
	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		json_put_key(out, address_parts[i].name);
		encode_text(&address_parts[i], CONST_FIELD_AT(address, &address_parts[i]), out);
	}
	json_close_object(out);
}

static void encode_id_list(const struct field *field, const void *at, struct buf *out)
{
	const struct id_list *list = at;

	(void)field;
	json_open_array(out);
	for (size_t i = 0; i < list->count; i++)
		json_put_int(out, list->ids[i]);
	json_close_array(out);
}

typedef void encode_fn(const struct field *field, const void *at, struct buf *out);

static encode_fn *const encoders[FIELD_TYPES] = {
	[FIELD_ID] = encode_id,
	[FIELD_CHOICE] = encode_choice,
	[FIELD_BOOL] = encode_bool,
	[FIELD_DATE] = encode_date,
	[FIELD_TIMESTAMP] = encode_timestamp,
	[FIELD_TEXT] = encode_text,
	[FIELD_ADDRESS] = encode_address,
	[FIELD_ID_LIST] = encode_id_list,
};

void encode_members(const struct record_type *type, const void *record, struct buf *out)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		if (field->flags & FIELD_HIDDEN)
			continue;
		json_put_key(out, field->name);
		encoders[field->type](field, CONST_FIELD_AT(record, field), out);
	}
}

void encode_record(const struct record_type *type, const void *record, struct buf *out)
{
	json_open_object(out);
	encode_members(type, record, out);
	json_close_object(out);
}

static struct slice text_at(const struct record_type *type, const void *record, const char *name)
{
	if (!name)
		return SLICE("");
	return *(const struct slice *)CONST_FIELD_AT(record, field_of(type, name));
}

void encode_name(const struct record_type *type, const void *record, struct buf *out)
{
	const char *const *names = type->name_fields;
	struct slice first = text_at(type, record, names[0]);
	struct slice second = text_at(type, record, names[1]);
	struct buf name = {0};

	if (!names[0])
		return;
	buf_add_slice(&name, first);
	if (first.len && second.len)
		buf_add_char(&name, ' ');
	buf_add_slice(&name, second);
	json_put_key(out, "name");
	json_put_text(out, name.len ? buf_slice(&name) : text_at(type, record, names[2]));
	out->failed |= name.failed;
	buf_release(&name);
}
