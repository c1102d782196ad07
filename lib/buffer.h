/* A text under construction, growing in an arena. */
#ifndef PINTLE_BUFFER_H
#define PINTLE_BUFFER_H

#include "arena.h"

struct buffer {
	struct arena *arena;
	char *data;
	size_t len, size;
};

struct buffer buffer_new(struct arena *a, size_t expected);
void buffer_add(struct buffer *b, struct text t);
void buffer_add_char(struct buffer *b, char c);
/* In decimal: a tenth of what buffer_printf takes. */
void buffer_add_number(struct buffer *b, int64_t value);
void buffer_printf(struct buffer *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* LEN more bytes, undefined, to be written by the caller. */
char *buffer_extend(struct buffer *b, size_t len);

static inline struct text buffer_text(const struct buffer *b)
{
	return (struct text){ b->data, b->len };
}

#endif
