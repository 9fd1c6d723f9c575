/* SPDX-License-Identifier: MIT */
/* Sends an answer in pieces. The application makes a piece when the client has received the one
 * before. So however long an answer is and however slow its client, only one piece is in memory. */
#include "connections.h"
#include "http_private.h"

/* Takes the piece that the application has made. False: it has none, or one that is too long. */
static bool take_piece(struct http_request *request)
{
	struct http_response *response = &request->response;

	if (response->body.failed || !response->body.len || response->body.len > response->more)
		return false;
	response->more -= response->body.len;
	return true;
}

/* libmicrohttpd has sent `at` bytes of the body and asks for more. If this returns 0, libmicrohttpd
 * asks again after the request is resumed. */
static ssize_t pieces_read(void *context, uint64_t at, char *to, size_t room)
{
	struct http_request *request = context;
	const struct http_server *server = request->server;
	struct buf *piece = &request->response.body;
	size_t left;

	request->body_bytes = at;
	request->last_block = 0;
	if (request->state == REQUEST_AWAITS_PIECE) {
		request->state = REQUEST_ANSWERED;
		request_set_own_timeout(request, false);
		connection_sends_on(request->on);
		if (!take_piece(request))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	} else if (request->piece_taken == piece->len) {
		buf_release(piece);
		request->piece_taken = 0;
		server->app->on_more(server->app_data, request);
		/* If the piece is not there yet, another thread may have the request now. */
		if (request->state == REQUEST_AWAITS_PIECE)
			return 0;
		if (!take_piece(request))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	left = piece->len - request->piece_taken;
	request->last_block = left < room ? left : room;
	memcpy(to, piece->ptr + request->piece_taken, request->last_block);
	request->piece_taken += request->last_block;
	return (ssize_t)request->last_block;
}

struct MHD_Response *answer_in_pieces(struct http_request *request)
{
	const struct http_response *response = &request->response;

	return MHD_create_response_from_callback(response->body.len + response->more, HTTP_BLOCK,
						 pieces_read, request, NULL);
}
