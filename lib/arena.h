/*
 * The memory of one request: taken piece by piece, wiped and given back at once.
 *
 * Nothing taken from an arena is freed on its own. Handles of other libraries are
 * handed to arena_defer and closed with it, last first. Out of memory ends the process:
 * the size limits of a request bound what it can ask for.
 */
#ifndef PINTLE_ARENA_H
#define PINTLE_ARENA_H

#include "text.h"

struct arena;

struct arena *arena_new(void);

/* Wipes everything and closes what was deferred; keeps the first block for the next request. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* SIZE bytes, zeroed, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size);

/* Copies; a NUL follows the bytes so that the data also serves as a C string. */
struct text arena_copy(struct arena *a, struct text t);
struct text arena_printf(struct arena *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Calls CLOSE(HANDLE) when the arena is reset or freed. */
void arena_defer(struct arena *a, void (*close)(void *), void *handle);

/* malloc, calloc and strdup for what lives as long as the program; never NULL. */
void *x_alloc(size_t size);
void *x_realloc(void *old, size_t size);
char *x_copy(struct text t);

#endif
