/* SPDX-License-Identifier: MIT */
/* When certificates expire, by their file. */
#include "certificates/facts.h"
#include "counters.h"

/* Where the samples begin in the buffer. */
struct certificates_writing {
	const struct family *family;
	struct buf *out;
	size_t from;
};

/* A file may be in the settings twice, but a sample must be there only once. */
static void certificate_write(void *context, const struct certificate_facts *certificate)
{
	const struct certificates_writing *writing = context;
	const struct label label = {"file", certificate->file};
	struct buf sample = {0};

	exposition_sample(&sample, writing->family->name, "", &label, 1,
			  (struct amount){certificate->valid_to, 0});
	if (!sample.failed && !writing->out->failed &&
	    !memmem(writing->out->ptr + writing->from, writing->out->len - writing->from,
		    sample.ptr, sample.len))
		buf_add_slice(writing->out, buf_slice(&sample));
	buf_release(&sample);
}

void write_certificates(const struct metrics_sources *sources, const struct family *family,
			struct buf *out)
{
	struct certificates_writing writing = {family, out, out->len};

	http_each_certificate(sources->server, certificate_write, &writing);
}
