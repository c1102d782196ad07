#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>

struct buffer buffer_new(struct arena *a, size_t expected)
{
	return (struct buffer){ a, arena_alloc(a, expected), 0, expected };
}

char *buffer_extend(struct buffer *b, size_t len)
{
	if (b->size - b->len < len) {
		size_t size = (b->len + len) * 2;
		char *data = arena_alloc(b->arena, size);

		memcpy(data, b->data, b->len);
		b->data = data;
		b->size = size;
	}
	b->len += len;
	return b->data + b->len - len;
}

void buffer_add(struct buffer *b, struct text t)
{
	if (t.len)
		memcpy(buffer_extend(b, t.len), t.data, t.len);
}

void buffer_add_char(struct buffer *b, char c)
{
	*buffer_extend(b, 1) = c;
}

void buffer_add_number(struct buffer *b, int64_t value)
{
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		buffer_add_char(b, '-');
	buffer_add(b, (struct text){ digits + at, sizeof(digits) - at });
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	char small[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(small)) {
		char *big = arena_alloc(b->arena, (size_t)len + 1);

		va_start(args, format);
		vsnprintf(big, (size_t)len + 1, format, args);
		va_end(args);
		buffer_add(b, (struct text){ big, (size_t)len });
		return;
	}
	buffer_add(b, (struct text){ small, (size_t)len });
}
