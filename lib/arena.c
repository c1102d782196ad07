#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A login with a 2.5 KB body needs about 12 KB: one block serves nearly every request. */
#define BLOCK_SIZE (32 * 1024)

/* What is not used is zero: it came so from x_alloc, or was wiped by arena_reset. */
struct block {
	struct block *next;
	size_t size, used;
	max_align_t data[];
};

struct deferred {
	struct deferred *next;
	void (*close)(void *);
	void *handle;
};

struct arena {
	struct block *blocks; /* the newest first; the last one is kept over resets */
	struct deferred *deferred;
};

static void out_of_memory(void)
{
	fputs("pintle: out of memory\n", stderr);
	abort();
}

void *x_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

void *x_realloc(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

char *x_copy(struct text t)
{
	char *copy = x_alloc(t.len + 1);

	if (t.len)
		memcpy(copy, t.data, t.len);
	return copy;
}

static struct block *block_new(size_t size, struct block *next)
{
	struct block *b = x_alloc(sizeof(*b) + size);

	b->next = next;
	b->size = size;
	return b;
}

struct arena *arena_new(void)
{
	struct arena *a = x_alloc(sizeof(*a));

	a->blocks = block_new(BLOCK_SIZE, NULL);
	return a;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = sizeof(max_align_t);
	struct block *b = a->blocks;
	void *memory;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + align - 1) / align * align;
	if (b->size - b->used < size) {
		b = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE, b);
		a->blocks = b;
	}
	memory = (char *)b->data + b->used;
	b->used += size;
	return memory;
}

struct text arena_copy(struct arena *a, struct text t)
{
	char *copy = arena_alloc(a, t.len + 1);

	if (t.len)
		memcpy(copy, t.data, t.len);
	return (struct text){ copy, t.len };
}

struct text arena_printf(struct arena *a, const char *format, ...)
{
	char small[256]; /* enough for nearly all, which are then formatted only once */
	va_list args, again;
	char *out;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (len < 0)
		out_of_memory();
	out = arena_alloc(a, (size_t)len + 1);
	if ((size_t)len < sizeof(small))
		memcpy(out, small, (size_t)len);
	else
		vsnprintf(out, (size_t)len + 1, format, again);
	va_end(again);
	return (struct text){ out, (size_t)len };
}

void arena_defer(struct arena *a, void (*close)(void *), void *handle)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->close = close;
	d->handle = handle;
	d->next = a->deferred;
	a->deferred = d;
}

void arena_reset(struct arena *a)
{
	for (struct deferred *d = a->deferred; d; d = d->next)
		d->close(d->handle);
	a->deferred = NULL;
	while (a->blocks->next) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		explicit_bzero(b->data, b->used);
		free(b);
	}
	explicit_bzero(a->blocks->data, a->blocks->used);
	a->blocks->used = 0;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a->blocks);
	free(a);
}
