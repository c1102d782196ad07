/* An arena for each test that a list names IN_ARENA(test): it is *state, and ARENA. */
#ifndef PINTLE_ARENA_FIXTURE_H
#define PINTLE_ARENA_FIXTURE_H

#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static inline int arena_open(void **state)
{
	*state = arena = arena_new();
	return 0;
}

static inline int arena_close(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define IN_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_open, arena_close)

#endif
