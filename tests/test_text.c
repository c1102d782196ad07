#include "../lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#define NOTHING ((struct text){ NULL, 0 })

static void equality_counts_every_byte(void **state)
{
	(void)state;
	assert_true(text_equal(AS_TEXT("abc"), AS_TEXT("abc")));
	assert_true(text_equal(AS_TEXT("a\0b"), AS_TEXT("a\0b")));
	assert_true(text_equal(NOTHING, AS_TEXT("")));
	assert_false(text_equal(AS_TEXT("abc"), AS_TEXT("abC")));
	assert_false(text_equal(AS_TEXT("abc"), AS_TEXT("ab")));
	assert_false(text_equal(AS_TEXT("a\0b"), AS_TEXT("a\0c")));
	assert_false(text_equal(AS_TEXT("a"), AS_TEXT("a\0")));
	assert_true(text_is(AS_TEXT("abc"), "abc"));
	assert_false(text_is(AS_TEXT("abc\0"), "abc"));
	assert_true(text_is(NOTHING, ""));
	assert_true(text_is(NOTHING, NULL));
}

static void case_is_overlooked_in_ascii_letters_only(void **state)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz";

	(void)state;
	for (int i = 0; i < 256; i++)
		for (int k = 0; k < 256; k++) {
			const char a = (char)i, b = (char)k;
			const char *at = i ? strchr(upper, i) : NULL;
			bool same = i == k || (at && lower[at - upper] == b);

			at = k ? strchr(upper, k) : NULL;
			same = same || (at && lower[at - upper] == a);
			if (text_equal_nocase((struct text){ &a, 1 },
					      (struct text){ &b, 1 }) != same)
				fail_msg("bytes %d and %d", i, k);
		}
	assert_true(text_equal_nocase(AS_TEXT("Application/JSON"),
				      AS_TEXT("application/json")));
	assert_true(text_equal_nocase(NOTHING, AS_TEXT("")));
	assert_false(text_equal_nocase(AS_TEXT("jwt"), AS_TEXT("jwts")));
	assert_false(text_equal_nocase(AS_TEXT("jwt"), AS_TEXT("jws")));
	assert_false(
		text_equal_nocase(AS_TEXT("\u212a"), AS_TEXT("k"))); /* Kelvin sign */
}

/* strncasecmp stops at the first NUL and calls the rest equal. */
static void case_is_overlooked_beyond_a_nul_as_well(void **state)
{
	(void)state;
	assert_false(text_equal_nocase(AS_TEXT("jwt\0a"), AS_TEXT("jwt\0b")));
	assert_false(text_equal_nocase(AS_TEXT("jwt"), AS_TEXT("jwt\0")));
	assert_true(text_equal_nocase(AS_TEXT("jwt\0a"), AS_TEXT("JWT\0A")));
}

static void a_prefix_is_compared_byte_for_byte(void **state)
{
	(void)state;
	assert_true(text_starts(AS_TEXT("Bearer abc"), "Bearer "));
	assert_true(text_starts(AS_TEXT("Bearer "), "Bearer "));
	assert_true(text_starts(AS_TEXT("x"), ""));
	assert_true(text_starts(NOTHING, ""));
	assert_false(text_starts(AS_TEXT("Bearer"), "Bearer "));
	assert_false(text_starts(AS_TEXT("bearer abc"), "Bearer "));
	assert_false(text_starts(NOTHING, "x"));
}

static void a_text_is_split_at_the_first_separator(void **state)
{
	struct text rest = AS_TEXT("a=b=c"), part;

	(void)state;
	part = text_before(rest, '=', &rest);
	assert_true(text_is(part, "a"));
	assert_true(text_is(rest, "b=c"));
	part = text_before(rest, '=', &rest);
	assert_true(text_is(part, "b"));
	part = text_before(rest, '=', &rest);
	assert_true(text_is(part, "c"));
	assert_int_equal(rest.len, 0);
	part = text_before(rest, '=', &rest);
	assert_int_equal(part.len, 0);
	part = text_before(AS_TEXT("=x"), '=', &rest);
	assert_int_equal(part.len, 0);
	assert_true(text_is(rest, "x"));
	part = text_before(AS_TEXT("x="), '=', &rest);
	assert_true(text_is(part, "x"));
	assert_int_equal(rest.len, 0);
	part = text_before(AS_TEXT("a\0b;c"), ';', &rest);
	assert_true(text_equal(part, AS_TEXT("a\0b")));
	part = text_before(NOTHING, ';', &rest);
	assert_int_equal(part.len + rest.len, 0);
}

static void blanks_and_tabs_are_trimmed_and_nothing_else(void **state)
{
	(void)state;
	assert_true(text_is(text_trim(AS_TEXT(" \t a b\t ")), "a b"));
	assert_true(text_is(text_trim(AS_TEXT("a")), "a"));
	assert_true(text_is(text_trim(AS_TEXT("\r\na\n")), "\r\na\n"));
	assert_true(text_is(text_trim(AS_TEXT("\xc2\xa0"
					      " a")),
			    "\xc2\xa0 a"));
	assert_true(text_equal(text_trim(AS_TEXT(" \0 ")), AS_TEXT("\0")));
	assert_int_equal(text_trim(AS_TEXT(" \t ")).len, 0);
	assert_int_equal(text_trim(NOTHING).len, 0);
}

static void a_number_is_digits_and_nothing_else(void **state)
{
	static const struct text wrong[] = {
		TEXT(""),
		TEXT("-1"),
		TEXT("+1"),
		TEXT(" 1"),
		TEXT("1 "),
		TEXT("1."),
		TEXT("1e3"),
		TEXT("0x10"),
		TEXT("1,0"),
		TEXT("1\0"),
		TEXT("a"),
		TEXT("/"),
		TEXT(":"),
		TEXT("\xd9\xa1"),
		TEXT("1000000000000000000"), /* 19 digits */
		TEXT("18446744073709551616"),
	};
	int64_t value = -7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(text_to_number(wrong[i], &value));
	assert_false(text_to_number(NOTHING, &value));
	assert_true(value == -7);
	assert_true(text_to_number(AS_TEXT("0"), &value) && value == 0);
	assert_true(text_to_number(AS_TEXT("007"), &value) && value == 7);
	assert_true(text_to_number(AS_TEXT("65536"), &value) && value == 65536);
	assert_true(text_to_number(AS_TEXT("999999999999999999"), &value) &&
		    value == 999999999999999999);
}

static void times_are_printed_in_utc(void **state)
{
	char out[TEXT_TIME_SIZE];

	(void)state;
	text_print_time(0, ' ', out);
	assert_string_equal(out, "1970-01-01 00:00:00");
	text_print_time(1709210096, 'T', out); /* a leap day */
	assert_string_equal(out, "2024-02-29T12:34:56");
	text_print_time(253402300799, ' ', out);
	assert_string_equal(out, "9999-12-31 23:59:59");
}

/* Every day up to the year 9999, and the seconds around midnight, as gmtime has them. */
static void times_are_printed_as_gmtime_and_strftime_do(void **state)
{
	char out[TEXT_TIME_SIZE], expected[TEXT_TIME_SIZE];

	(void)state;
	for (time_t when = 0; when <= 253402300799; when += 86400 - 1 + when % 3) {
		struct tm tm;

		assert_non_null(gmtime_r(&when, &tm));
		strftime(expected, sizeof(expected), "%Y-%m-%d %H:%M:%S", &tm);
		text_print_time(when, ' ', out);
		assert_string_equal(out, expected);
	}
}

static void a_time_beyond_the_calendar_is_its_nearest_end(void **state)
{
	static const int64_t late[] = { 253402300800, 67767976233532799, INT64_MAX };
	char out[TEXT_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++) {
		text_print_time(late[i], ' ', out);
		assert_string_equal(out, "9999-12-31 23:59:59");
	}
	text_print_time(-1, ' ', out);
	assert_string_equal(out, "1970-01-01 00:00:00");
	text_print_time(INT64_MIN, 'T', out);
	assert_string_equal(out, "1970-01-01T00:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_counts_every_byte),
		cmocka_unit_test(case_is_overlooked_in_ascii_letters_only),
		cmocka_unit_test(case_is_overlooked_beyond_a_nul_as_well),
		cmocka_unit_test(a_prefix_is_compared_byte_for_byte),
		cmocka_unit_test(a_text_is_split_at_the_first_separator),
		cmocka_unit_test(blanks_and_tabs_are_trimmed_and_nothing_else),
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
		cmocka_unit_test(times_are_printed_in_utc),
		cmocka_unit_test(times_are_printed_as_gmtime_and_strftime_do),
		cmocka_unit_test(a_time_beyond_the_calendar_is_its_nearest_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
