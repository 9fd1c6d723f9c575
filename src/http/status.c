/* SPDX-License-Identifier: MIT */
/* The status codes that docket sends (RFC 9110, section 15; RFC 6585). */
#include "http/http.h"

static const struct {
	unsigned status;
	const char *reason;
} reasons[HTTP_STATUSES] = {
	{200, "OK"},
	{201, "Created"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{409, "Conflict"},
	{410, "Gone"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

size_t http_status_index(unsigned status)
{
	size_t i = 0;

	while (i < HTTP_STATUSES && reasons[i].status != status)
		i++;
	return i;
}

unsigned http_status_at(size_t index)
{
	return reasons[index].status;
}

const char *http_reason(unsigned status)
{
	size_t index = http_status_index(status);

	return index < HTTP_STATUSES ? reasons[index].reason : "";
}
