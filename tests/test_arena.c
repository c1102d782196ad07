#include "../lib/arena.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/buffer.h"

#define BIG (100 * 1024) /* more than one block */

static bool is_all(const void *memory, size_t len, int byte)
{
	const unsigned char *bytes = memory;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = {
		0, 1, 7, 8, 16, 17, 31, 32, 33, 1000, 32768, BIG
	};
	struct arena *a = arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned char *pieces[sizeof(sizes) / sizeof(sizes[0])];

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			pieces[i] = arena_alloc(a, sizes[i]);
			assert_non_null(pieces[i]);
			assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
			assert_true(is_all(pieces[i], sizes[i], 0));
			memset(pieces[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			assert_true(is_all(pieces[i], sizes[i], (int)i + 1));
		if (round)
			arena_reset(a);
	}
	arena_free(a);
}

/* A token of the last request must not be found in the next one's memory. */
static void a_reset_wipes_what_was_there(void **state)
{
	struct arena *a = arena_new();
	char *secret = arena_alloc(a, 1000), *again;

	(void)state;
	memset(secret, 'S', 1000);
	arena_alloc(a, BIG);
	arena_reset(a);
	assert_true(is_all(secret, 1000,
			   0)); /* the first block is kept, so this may be read */
	again = arena_alloc(a, 1000);
	assert_ptr_equal(again, secret);
	arena_free(a);
}

static struct {
	int order[4];
	size_t count;
	const char *seen;
} closed;

static void note_close(void *handle)
{
	closed.order[closed.count++] = *(int *)handle;
}

static void note_text(void *handle)
{
	closed.seen = strcmp(handle, "still here") == 0 ? "whole" : "wiped";
}

static void deferred_handles_are_closed_once_last_first(void **state)
{
	static int one = 1, two = 2, three = 3;
	struct arena *a = arena_new();

	(void)state;
	memset(&closed, 0, sizeof(closed));
	arena_defer(a, note_close, &one);
	arena_alloc(a, BIG);
	arena_defer(a, note_close, &two);
	arena_reset(a);
	assert_int_equal(closed.count, 2);
	assert_int_equal(closed.order[0], 2);
	assert_int_equal(closed.order[1], 1);
	arena_reset(a);
	assert_int_equal(closed.count, 2);
	arena_defer(a, note_close, &three);
	arena_free(a);
	assert_int_equal(closed.count, 3);
	assert_int_equal(closed.order[2], 3);
}

static void a_handle_is_closed_before_its_memory_is_wiped(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	closed.seen = NULL;
	arena_defer(a, note_text, (char *)arena_copy(a, AS_TEXT("still here")).data);
	arena_free(a);
	assert_string_equal(closed.seen, "whole");
	arena_free(NULL);
}

static void copies_keep_every_byte_and_end_in_nul(void **state)
{
	struct arena *a = arena_new();
	static const char bytes[] = { 'a', '\0', 'b', '!' };
	struct text copy = arena_copy(a, (struct text){ bytes, 3 });
	char *own;

	(void)state;
	assert_ptr_not_equal(copy.data, bytes);
	assert_true(text_equal(copy, AS_TEXT("a\0b")));
	assert_int_equal(copy.data[3], '\0');
	copy = arena_copy(a, AS_TEXT("exactly thirty-two bytes of text"));
	memset(arena_alloc(a, 32), 'x', 32);
	assert_int_equal(copy.data[copy.len], '\0');
	copy = arena_copy(a, (struct text){ NULL, 0 });
	assert_int_equal(copy.len, 0);
	assert_int_equal(copy.data[0], '\0');
	arena_free(a);

	own = x_copy((struct text){ bytes, 3 });
	assert_memory_equal(own, "a\0b", 4);
	free(own);
	own = x_copy((struct text){ NULL, 0 });
	assert_string_equal(own, "");
	free(own);
}

static void printing_takes_as_much_as_it_needs(void **state)
{
	struct arena *a = arena_new();
	struct text t = arena_printf(a, "%s-%d%c", "x", 42, '.');

	(void)state;
	assert_true(text_is(t, "x-42."));
	assert_int_equal(t.data[t.len], '\0');
	t = arena_printf(a, "%032d", 5);
	memset(arena_alloc(a, 32), 'x', 32);
	assert_int_equal(t.data[32], '\0');
	t = arena_printf(a, "%*d", BIG, 7);
	assert_int_equal(t.len, BIG);
	assert_int_equal(t.data[BIG - 1], '7');
	assert_int_equal(arena_printf(a, "%s", "").len, 0);
	arena_free(a);
}

static void x_memory_is_zeroed_and_keeps_its_content(void **state)
{
	char *memory = x_alloc(100);

	(void)state;
	assert_true(is_all(memory, 100, 0));
	memset(memory, 'k', 100);
	memory = x_realloc(memory, 10000);
	assert_true(is_all(memory, 100, 'k'));
	free(memory);
	free(x_alloc(0));
	free(x_realloc(NULL, 0));
}

/* Does FUNCTION end the process? In a child, without its message and its core file. */
static bool is_fatal(void (*function)(void))
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (!child) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(0);
		function();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* A sanitizer exits where malloc would have returned NULL. */
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void ask_for_everything(void)
{
	arena_alloc(arena_new(), SIZE_MAX);
}

static void ask_for_all_but_the_rounding(void)
{
	arena_alloc(arena_new(), SIZE_MAX - 8);
}

static void ask_x_alloc(void)
{
	free(x_alloc(SIZE_MAX));
}

static void ask_x_realloc(void)
{
	free(x_realloc(NULL, SIZE_MAX));
}

static void ask_for_little(void)
{
	arena_free(arena_new());
}

static void an_impossible_size_ends_the_process(void **state)
{
	(void)state;
	assert_true(is_fatal(ask_for_everything));
	assert_true(is_fatal(ask_for_all_but_the_rounding));
	assert_true(is_fatal(ask_x_alloc));
	assert_true(is_fatal(ask_x_realloc));
	assert_false(is_fatal(ask_for_little));
}

/* ---- buffer.c */

static void a_buffer_grows_and_keeps_its_content(void **state)
{
	struct arena *a = arena_new();
	struct buffer b = buffer_new(a, 0);
	char expected[3001];

	(void)state;
	assert_int_equal(buffer_text(&b).len, 0);
	for (size_t i = 0; i < 1000; i++) {
		buffer_add_char(&b, (char)('a' + i % 26));
		buffer_add(&b, AS_TEXT("\0-"));
		memcpy(expected + 3 * i, (char[]){ (char)('a' + i % 26), '\0', '-' }, 3);
	}
	buffer_add(&b, (struct text){ NULL, 0 });
	assert_int_equal(b.len, 3000);
	assert_true(b.len <= b.size);
	assert_memory_equal(b.data, expected, 3000);
	arena_free(a);
}

static void a_buffer_does_not_touch_its_neighbours(void **state)
{
	struct arena *a = arena_new();
	struct buffer b = buffer_new(a, 32);
	char *next = arena_alloc(a, 32);

	(void)state;
	memset(next, 'n', 32);
	memset(buffer_extend(&b, 32), 'b', 32);
	buffer_add_char(&b, 'c');
	assert_true(is_all(next, 32, 'n'));
	assert_true(is_all(b.data, 32, 'b'));
	assert_int_equal(b.data[32], 'c');
	arena_free(a);
}

static void a_buffer_writes_numbers_as_printf_does(void **state)
{
	static const int64_t numbers[] = { 0,	7,	    -7,	       10,	 99,
					   200, 1795353600, INT64_MAX, INT64_MIN };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct buffer b = buffer_new(a, 1);

		buffer_add_number(&b, numbers[i]);
		assert_true(text_equal(buffer_text(&b),
				       arena_printf(a, "%lld", (long long)numbers[i])));
	}
	arena_free(a);
}

static void a_buffer_prints_short_and_long(void **state)
{
	static const int lengths[] = { 1, 254, 255, 256, 257, 5000 };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct buffer b = buffer_new(a, 8);

		buffer_add_char(&b, '<');
		buffer_printf(&b, "%0*d", lengths[i], 0);
		buffer_printf(&b, "%s", "");
		buffer_add_char(&b, '>');
		assert_int_equal(b.len, lengths[i] + 2);
		assert_int_equal(b.data[0], '<');
		assert_true(is_all(b.data + 1, (size_t)lengths[i], '0'));
		assert_int_equal(b.data[b.len - 1], '>');
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(a_reset_wipes_what_was_there),
		cmocka_unit_test(deferred_handles_are_closed_once_last_first),
		cmocka_unit_test(a_handle_is_closed_before_its_memory_is_wiped),
		cmocka_unit_test(copies_keep_every_byte_and_end_in_nul),
		cmocka_unit_test(printing_takes_as_much_as_it_needs),
		cmocka_unit_test(x_memory_is_zeroed_and_keeps_its_content),
		cmocka_unit_test(an_impossible_size_ends_the_process),
		cmocka_unit_test(a_buffer_grows_and_keeps_its_content),
		cmocka_unit_test(a_buffer_does_not_touch_its_neighbours),
		cmocka_unit_test(a_buffer_prints_short_and_long),
		cmocka_unit_test(a_buffer_writes_numbers_as_printf_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
