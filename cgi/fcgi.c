#include "fcgi.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER 8
#define STDOUT_MAX 65528 /* the most that a record holds and that needs no padding */
#define LINGER_MS 2000

enum record_type {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST,
	END_REQUEST,
	PARAMS,
	STDIN,
	STDOUT,
	GET_VALUES = 9,
	GET_VALUES_RESULT,
	UNKNOWN_TYPE
};

enum protocol_status { REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE };

struct record {
	enum record_type type;
	unsigned id;
	size_t len, padding;
};

/* ---- bytes in */

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* Only when the buffer is empty. The socket has its own limit for one read. */
static bool fill(struct fcgi *f)
{
	ssize_t got;

	do
		got = read(f->fd, f->buffer, sizeof(f->buffer));
	while (got < 0 && errno == EINTR);
	if (got <= 0 || seconds() > f->until)
		return false;
	f->start = 0;
	f->end = (size_t)got;
	return true;
}

/* As much as is there, up to SIZE; 0 when nothing more comes. OUT may be NULL: to skip it. */
static size_t take_some(struct fcgi *f, void *out, size_t size)
{
	size_t n = f->end - f->start;

	if (!n && (!size || !fill(f)))
		return 0;
	n = f->end - f->start;
	if (n > size)
		n = size;
	if (out)
		memcpy(out, f->buffer + f->start, n);
	f->start += n;
	return n;
}

static bool take(struct fcgi *f, void *out, size_t size)
{
	unsigned char *at = out;

	while (size) {
		const size_t n = take_some(f, at, size);

		if (!n)
			return false;
		size -= n;
		at += at ? n : 0;
	}
	return true;
}

/* ---- bytes out */

static bool write_all(int fd, struct iovec *parts, int count)
{
	while (count) {
		ssize_t n = writev(fd, parts, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (; count && (size_t)n >= parts->iov_len; parts++, count--)
			n -= (ssize_t)parts->iov_len;
		if (count) {
			parts->iov_base = (char *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return true;
}

static void put_header(unsigned char out[HEADER], enum record_type type, unsigned id, size_t len)
{
	const unsigned char header[HEADER] = {
		1, (unsigned char)type, (unsigned char)(id >> 8), (unsigned char)id,
		(unsigned char)(len >> 8), (unsigned char)len,
	};

	memcpy(out, header, HEADER);
}

/* A record of eight bytes, of which only one says something. */
static bool send_word(struct fcgi *f, enum record_type type, unsigned id, size_t at,
		      unsigned char word)
{
	unsigned char bytes[2 * HEADER] = { 0 };
	struct iovec part = { bytes, sizeof(bytes) };

	put_header(bytes, type, id, HEADER);
	bytes[HEADER + at] = word;
	return write_all(f->fd, &part, 1);
}

static bool send_end(struct fcgi *f, unsigned id, enum protocol_status status)
{
	return send_word(f, END_REQUEST, id, 4, (unsigned char)status);
}

/* ---- records */

static bool read_header(struct fcgi *f, struct record *r)
{
	unsigned char h[HEADER];

	if (!take(f, h, sizeof(h)) || h[0] != 1)
		return false;
	r->type = h[1];
	r->id = (unsigned)h[2] << 8 | h[3];
	r->len = (size_t)h[4] << 8 | h[5];
	r->padding = h[6];
	return true;
}

static bool skip(struct fcgi *f, const struct record *r)
{
	return take(f, NULL, r->len + r->padding);
}

/* Asked by a process manager, which no web server is today: we have no limits to tell of. */
static bool answer_management(struct fcgi *f, const struct record *r)
{
	unsigned char result[HEADER];
	struct iovec part = { result, sizeof(result) };

	if (!skip(f, r))
		return false;
	if (r->type != GET_VALUES)
		return send_word(f, UNKNOWN_TYPE, 0, 0, (unsigned char)r->type);
	put_header(result, GET_VALUES_RESULT, 0, 0);
	return write_all(f->fd, &part, 1);
}

/*
 * The next record that is of our request, whose content is then to be read. All others are
 * dealt with: a second request on the connection is refused, what belongs to it passed over.
 */
static bool next_record(struct fcgi *f, struct record *r)
{
	while (read_header(f, r)) {
		if (r->id == f->id && f->id && r->type != BEGIN_REQUEST)
			return r->type != ABORT_REQUEST;
		if (r->id == 0 ? !answer_management(f, r) : !skip(f, r))
			return false;
		if (r->id && r->type == BEGIN_REQUEST && !send_end(f, r->id, CANT_MPX_CONN))
			return false;
	}
	return false;
}

/* ---- the request */

static bool read_begin(struct fcgi *f)
{
	unsigned char body[HEADER];
	struct record r;
	unsigned role;

	do
		if (!read_header(f, &r))
			return false;
	while (r.id == 0 && answer_management(f, &r));
	if (r.id == 0 || r.type != BEGIN_REQUEST || r.len != sizeof(body) ||
	    !take(f, body, sizeof(body)) || !take(f, NULL, r.padding))
		return false;
	f->id = r.id;
	role = (unsigned)body[0] << 8 | body[1];
	if (role != FCGI_RESPONDER && role != FCGI_AUTHORIZER) {
		send_end(f, f->id, UNKNOWN_ROLE);
		return false;
	}
	f->role = (enum fcgi_role)role;
	return true;
}

/* The stream of parameters as a whole: a pair may be spread over records. */
static bool read_params(struct fcgi *f, struct arena *arena, struct text *out)
{
	size_t len = 0, size = 4096;
	char *data = arena_alloc(arena, size);
	struct record r;

	while (next_record(f, &r) && r.type == PARAMS) {
		if (!r.len) {
			*out = (struct text){ data, len };
			return take(f, NULL, r.padding);
		}
		if (len + r.len > FCGI_PARAMS_MAX)
			return false;
		if (len + r.len > size) {
			char *more = arena_alloc(arena, size = 2 * (len + r.len));

			memcpy(more, data, len);
			data = more;
		}
		if (!take(f, data + len, r.len) || !take(f, NULL, r.padding))
			return false;
		len += r.len;
	}
	return false;
}

/* One byte up to 127, else four (FastCGI 1.0, 3.4). */
static bool read_length(struct text *rest, size_t *out)
{
	const unsigned char *b = (const unsigned char *)rest->data;
	const size_t bytes = rest->len && *b >> 7 ? 4 : 1;

	if (rest->len < bytes)
		return false;
	*out = bytes == 1 ? *b
			  : (size_t)(*b & 0x7f) << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
	rest->data += bytes;
	rest->len -= bytes;
	return true;
}

/*
 * The next pair as "NAME=value"; *OUT is NULL for one that cannot be written so: a name with
 * "=" would be another name, and a NUL would end it before its time.
 */
static bool read_pair(struct text *rest, struct arena *arena, char **out)
{
	size_t name, value;
	char *pair;

	if (!read_length(rest, &name) || !read_length(rest, &value) || name > rest->len ||
	    value > rest->len - name)
		return false;
	*out = NULL;
	if (name && !memchr(rest->data, '=', name) && !memchr(rest->data, '\0', name + value)) {
		pair = arena_alloc(arena, name + value + 2);
		memcpy(pair, rest->data, name);
		pair[name] = '=';
		memcpy(pair + name + 1, rest->data + name, value);
		pair[name + 1 + value] = '\0';
		*out = pair;
	}
	rest->data += name + value;
	rest->len -= name + value;
	return true;
}

static bool split_params(struct fcgi *f, struct text params, struct arena *arena)
{
	/* Each takes three bytes at least; a web server sends about thirty of them. */
	size_t count = 0, room = params.len / 3 < 64 ? params.len / 3 : 64;
	char **list = arena_alloc(arena, (room + 1) * sizeof(*list));
	char *pair;

	while (params.len) {
		if (!read_pair(&params, arena, &pair))
			return false;
		if (!pair)
			continue;
		if (count == room) {
			char **more = arena_alloc(arena, ((room = 2 * room + 1) + 1) * sizeof(*list));

			memcpy(more, list, count * sizeof(*list));
			list = more;
		}
		list[count++] = pair;
	}
	list[count] = NULL;
	f->variables = list;
	return true;
}

bool fcgi_open(struct fcgi *f, int fd, struct arena *arena)
{
	const struct timeval limit = { FCGI_WAIT_S, 0 };
	struct text params;

	memset(f, 0, offsetof(struct fcgi, buffer));
	f->fd = fd;
	f->until = seconds() + FCGI_REQUEST_S;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (read_begin(f) && read_params(f, arena, &params) && split_params(f, params, arena))
		return true;
	/* Only who asked for a role that we have not is to read an answer. */
	f->broken = !f->id || f->role;
	return false;
}

/* ---- its body, and its answer */

/* To the next record with something of the body in it, or to its end. */
static bool next_of_body(struct fcgi *f)
{
	struct record r;

	if (!take(f, NULL, f->padding_left))
		return false;
	f->padding_left = 0;
	while (next_record(f, &r)) {
		if (r.type == STDIN) {
			f->content_left = r.len;
			f->padding_left = r.padding;
			f->body_ended = !r.len;
			return true;
		}
		if (!skip(f, &r))
			return false;
	}
	return false;
}

ssize_t fcgi_read(struct fcgi *f, char *out, size_t size)
{
	size_t n;

	if (f->body_ended || !size)
		return 0;
	if (f->broken)
		return -1;
	if (!f->content_left && (!next_of_body(f) || f->body_ended)) {
		f->broken = !f->body_ended;
		return f->broken ? -1 : 0;
	}
	n = take_some(f, out, size < f->content_left ? size : f->content_left);
	f->content_left -= n;
	f->broken = !n;
	return n ? (ssize_t)n : -1;
}

void fcgi_answer(struct fcgi *f, struct text out)
{
	unsigned char header[HEADER], tail[3 * HEADER] = { 0 };
	bool last = false;

	put_header(tail, STDOUT, f->id, 0);
	put_header(tail + HEADER, END_REQUEST, f->id, HEADER);
	while (!last) {
		const size_t len = out.len < STDOUT_MAX ? out.len : STDOUT_MAX;
		struct iovec parts[] = { { header, HEADER },
					 { (void *)(uintptr_t)out.data, len },
					 { tail, sizeof(tail) } };

		last = len == out.len;
		put_header(header, STDOUT, f->id, len);
		if (!write_all(f->fd, parts, last ? 3 : 2)) {
			f->broken = true;
			return;
		}
		out.data += len;
		out.len -= len;
	}
}

/*
 * A socket that is closed with something unread takes the answer with it: then the peer is to
 * close first. Once all was read there is no need to wait for that.
 */
void fcgi_close(struct fcgi *f)
{
	struct pollfd ready = { f->fd, POLLIN, 0 };
	const time_t until = seconds() + LINGER_MS / 1000;

	if (!f->body_ended && !f->broken && shutdown(f->fd, SHUT_WR) == 0)
		while (seconds() <= until && poll(&ready, 1, LINGER_MS) > 0 &&
		       read(f->fd, f->buffer, sizeof(f->buffer)) > 0)
			;
	close(f->fd);
}
