#include "json_fixture.h"

#include <stdlib.h>

static void each_rule_refuses_beside_what_it_permits(void **state)
{
	static const struct {
		const char *good, *bad;
	} pairs[] = {
		{ "{}", "{" },
		{ "[]", "]" },
		{ "[]", "[}" },
		{ "{}", "{]" },
		{ "[[]]", "[[]" },
		{ "[1,2]", "[1,,2]" },
		{ "[1]", "[1,]" },
		{ "[1,2]", "[1 2]" },
		{ "[1]", "[,1]" },
		{ "[\"a\"]", "[\"a\":1]" },
		{ "{\"a\":1}", "{\"a\":1,}" },
		{ "{\"a\":1}", "{,\"a\":1}" },
		{ "{\"a\":1}", "{\"a\" 1}" },
		{ "{\"a\":1}", "{\"a\"}" },
		{ "{\"a\":1}", "{\"a\":}" },
		{ "{\"a\":1}", "{\"a\"::1}" },
		{ "{\"a\":1}", "{a:1}" },
		{ "{\"a\":1}", "{'a':1}" },
		{ "{\"1\":1}", "{1:1}" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1 \"b\":2}" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1;\"b\":2}" },
		{ "{\"a\":[1]}", "{\"a\":[1}]" },
		{ "true", "True" },
		{ "true", "tru" },
		{ "false", "falsey" },
		{ "null", "nul" },
		{ "null", "NaN" },
		{ "0", "Infinity" },
		{ "0", "" },
		{ "0", " " },
		{ "0", "00" },
		{ "-0", "-00" },
		{ "10", "01" },
		{ "-1", "-01" },
		{ "-1", "- 1" },
		{ "-1", "-" },
		{ "1", "+1" },
		{ "1.0", "1." },
		{ "0.1", ".1" },
		{ "-0.1", "-.1" },
		{ "1e5", "1e" },
		{ "1E+5", "1E+" },
		{ "1e-05", "1e-" },
		{ "1.5e5", "1.e5" },
		{ "1e5", "1e5.5" },
		{ "16", "0x10" },
		{ "1", "1 2" },
		{ "\"\"", "\"" },
		{ "\"a\"", "\"a" },
		{ "\"a\"", "'a'" },
		{ "\"\\n\"", "\"\n\"" },
		{ "\"\\t\"", "\"\t\"" },
		{ "\"\\u001f\"", "\"\x1f\"" },
		{ "\"\x7f\"", "\"\x01\"" },
		{ "\"\\\"\"", "\"\\\"" },
		{ "\"\\\\\"", "\"\\" },
		{ "\"\\b\\f\\n\\r\\t\\/\"", "\"\\a\"" },
		{ "\"\\/\"", "\"\\'\"" },
		{ "\"\\n\"", "\"\\N\"" },
		{ "\"\\u00e9\"", "\"\\U00e9\"" },
		{ "\"\\uAbCd\"", "\"\\uAbCg\"" },
		{ "\"\\u1234\"", "\"\\u123\"" },
		{ "\"\\u1234\"", "\"\\u 123\"" },
		{ "\"\\u1234\"", "\"\\u" },
		{ " \t\r\n1 \t\r\n", "\f1" },
		{ " 1", "\u00a01" },
		{ "1", "1//" },
		{ "1", "/**/1" },
		{ "{}", "{}{}" },
		{ "[]", "[]," },
		{ "[]", "\xef\xbb\xbf[]" },
		{ "\"\xef\xbb\xbf\"", "\xef\xbb\xbf\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		if (!scans(text_of(pairs[i].good)) || scans(text_of(pairs[i].bad)))
			fail_msg("pair %zu: %s | %s", i, pairs[i].good, pairs[i].bad);
	}
	assert_false(scans((struct text){ NULL, 0 }));
}

/* CVE class: a member named "email" to C, "email\0x" to everyone else. */
static void nul_is_refused_raw_and_escaped(void **state)
{
	(void)state;
	assert_false(scans(AS_TEXT("{\"email\\u0000x\":1}")));
	assert_false(scans(AS_TEXT("{\"a\":\"x\\u0000\"}")));
	assert_false(scans(AS_TEXT("[\"a\0b\"]")));
	assert_false(scans(AS_TEXT("[1]\0")));
	assert_false(scans(AS_TEXT("123\0")));
	assert_false(scans(AS_TEXT("1e\0")));
	assert_false(scans(AS_TEXT("\"\\\0\"")));
	assert_false(scans(AS_TEXT("\0[1]")));
	assert_true(scans(AS_TEXT("{\"email\\u0001x\":\"\\u0010\"}")));
	assert_true(scans(AS_TEXT("[\"\\\\u0000\"]")));
}

static void lone_surrogates_are_refused(void **state)
{
	static const char *const lone[] = {
		"\"\\ud800\"",
		"\"\\udbff\"",
		"\"\\udc00\"",
		"\"\\udfff\"",
		"\"\\ud800x\"",
		"\"\\ud800\\n\"",
		"\"\\ud800\\u0041\"",
		"\"\\ud800\\ud800\"",
		"\"\\ude00\\ud83d\"",
		"\"\\ud83d\\ude0\"",
		"\"\\ud83dude00xxxx\"",
		"\"\\ud83d\\Ude00\"",
		"\"\xed\xa0\x80\"",
		"\"\xed\xbf\xbf\"",
		"\"\xed\xa0\xbd\xed\xb8\x80\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lone); i++)
		if (scans(text_of(lone[i])))
			fail_msg("accepted: %s", lone[i]);
	assert_true(scans(AS_TEXT("\"\\ud83d\\ude00\"")));
	assert_true(scans(AS_TEXT("\"\\uDBFF\\uDFFF\"")));
	assert_true(scans(AS_TEXT("\"\\ud800\\udc00\"")));
	assert_false(scans(AS_TEXT("\"\\ud800\\udbff\"")));
	assert_false(scans(AS_TEXT("\"\\ud800\\ue000\"")));
	assert_true(scans(AS_TEXT("\"\\ud7ff\\ue000\"")));
	assert_true(scans(AS_TEXT("\"\xed\x9f\xbf\xee\x80\x80\"")));
}

static void an_escape_has_four_hexadecimal_digits(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 3; at < 7; at++) {
			char document[] = "\"\\u1111\"";
			bool digit = c && strchr("0123456789abcdefABCDEF", c);

			document[at] = (char)c;
			if (scans((struct text){ document, 8 }) != digit)
				fail_msg("byte %d at %zu", c, at);
		}
}

/* By what the bytes decode to, not by the ranges they stand in as the scanner does. */
static bool is_utf8_character(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t point = s[0] & (0x7fu >> len);

	if (len == 1)
		return s[0] < 0x80;
	if ((unsigned)s[0] >> (7 - len) != (1u << (len + 1)) - 2)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return false;
		point = point << 6 | (s[i] & 0x3fu);
	}
	return point >= least[len] && point <= 0x10ffff &&
	       (point < 0xd800 || point > 0xdfff);
}

static bool is_utf8(const unsigned char *s, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (is_utf8_character(s, n))
			return is_utf8(s + n, len - n);
	return len == 0;
}

static void utf8_is_valid_only_where_it_decodes(void **state)
{
	static const unsigned char next[] = { 0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
					      0xa0, 0xbf, 0xc0, 0xed, 0xff };
	size_t valid = 0;

	(void)state;
	for (int lead = 0x80; lead < 0x100; lead++)
		for (size_t i = 0; i < COUNT(next) * COUNT(next) * COUNT(next); i++)
			for (size_t len = 2; len <= 4; len++) {
				const unsigned char s[] = {
					'"', (unsigned char)lead, next[i % COUNT(next)],
					next[i / COUNT(next) % COUNT(next)],
					next[i / COUNT(next) / COUNT(next)]
				};
				char document[6];
				bool good = is_utf8(s + 1, len);

				memcpy(document, s, len + 1);
				document[len + 1] = '"';
				if (scans((struct text){ document, len + 2 }) != good)
					fail_msg("%zu bytes: %02x %02x %02x %02x", len,
						 s[1], s[2], s[3], s[4]);
				valid += good;
			}
	assert_true(valid > 10000);
}

static void the_log_learns_what_was_wrong(void **state)
{
	static const struct {
		struct text text;
		const char *why;
	} wrong[] = {
		{ TEXT(""), "the text is empty" },
		{ TEXT("[1"), "the text ends early" },
		{ TEXT("[1] 2"), "something follows the value" },
		{ TEXT("\"\\x\""), "a bad escape in a string" },
		{ TEXT("\"\xff\""), "invalid UTF-8" },
		{ TEXT("\"\n\""), "a control character in a string" },
		{ TEXT("\"a"), "a string does not end" },
		{ TEXT("[01]"), "a comma or closing bracket is missing" },
		{ TEXT("[-]"), "a number without digits" },
		{ TEXT("[?]"), "a value is missing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(json_scan(wrong[i].text, DEPTH, NULL), wrong[i].why);
}

static void depth_ends_where_it_is_told(void **state)
{
	static char document[1024];
	static const unsigned depths[] = { 1, 2, 8, 31, 32, 33, 63, 64 };
	struct text t;

	(void)state;
	for (size_t i = 0; i < COUNT(depths); i++) {
		unsigned depth = depths[i];

		t = nested(document, depth, "[", "]");
		assert_null(json_scan(t, depth, NULL));
		assert_non_null(json_scan(t, depth - 1, NULL));
		t = nested(document, depth, "{\"a\":", "}");
		assert_null(json_scan(t, depth, NULL));
		assert_non_null(json_scan(t, depth - 1, NULL));
	}
	assert_null(json_scan(AS_TEXT("1"), 0, NULL));
	assert_non_null(json_scan(AS_TEXT("[]"), 0, NULL));
	assert_null(json_scan(AS_TEXT("[[],[],[],[]]"), 2, NULL));
	/* More than the stack holds is no promise that it can keep. */
	assert_non_null(json_scan(nested(document, 65, "[", "]"), 1000, NULL));
}

/* Objects and arrays in random order; then one closing bracket of the other kind. */
static void brackets_must_match_at_every_level(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		char document[8 * DEPTH], *end = document, *closing;

		for (int i = 0; i < DEPTH; i++)
			end = stpcpy(end, next_random(&seed) & 0x10000 ? "{\"a\":" : "[");
		closing = end;
		for (char *at = closing; at-- > document;)
			if (*at == '{' || *at == '[')
				*end++ = *at == '{' ? '}' : ']';
		/* The innermost brackets hold nothing; a name needs a value. */
		if (closing[-1] == ':') {
			memmove(closing + 1, closing, (size_t)(end++ - closing));
			*closing++ = '1';
		}
		assert_true(scans((struct text){ document, (size_t)(end - document) }));
		closing += next_random(&seed) % DEPTH;
		*closing = *closing == '}' ? ']' : '}';
		assert_false(scans((struct text){ document, (size_t)(end - document) }));
	}
}

static void members_are_counted_at_every_level(void **state)
{
	size_t members = 99;

	(void)state;
	assert_null(json_scan(AS_TEXT("[1,\"a\"]"), DEPTH, &members));
	assert_int_equal(members, 0);
	assert_null(json_scan(AS_TEXT("{\"a\":{\"b\":[{\"c\":1},{\"c\":{}}]},\"a\":2}"),
			      DEPTH, &members));
	assert_int_equal(members, 5);
	assert_non_null(json_scan(AS_TEXT("{\"a\":1"), DEPTH, &members));
	assert_int_equal(members, 5);
}

static void every_prefix_of_a_document_is_refused(void **state)
{
	struct text whole = text_of(login_body);

	(void)state;
	assert_true(scans(whole));
	for (size_t len = 0; len < whole.len; len++) {
		/* A copy of exactly that size: reading on is seen by the sanitizer. */
		char *prefix = malloc(len ? len : 1);

		memcpy(prefix, whole.data, len);
		if (scans((struct text){ prefix, len }))
			fail_msg("accepted: the first %zu bytes", len);
		free(prefix);
	}
}

static void every_byte_turned_into_nul_is_refused(void **state)
{
	char document[sizeof(login_body) - 1];

	(void)state;
	for (size_t i = 0; i < sizeof(document); i++) {
		memcpy(document, login_body, sizeof(document));
		document[i] = '\0';
		if (scans((struct text){ document, sizeof(document) }))
			fail_msg("accepted: NUL at %zu", i);
	}
}

/* Whatever passes the scanner json-c reads as well, and to its last byte. */
static void scanner_and_json_c_agree_on_mutations(void **state)
{
	static const char bytes[] =
		"\"\\{}[]:,0123456789.-+eEtrufalsn \t\n\x80\xc3\xa9\xef\xff";
	size_t passed = 0, parsed = 0;
	uint32_t seed = 20;

	(void)state;
	for (int round = 0; round < 40000; round++) {
		char document[sizeof(login_body) - 1];
		struct text t = { document, sizeof(document) };
		struct arena *a;
		const char *why = NULL;

		memcpy(document, login_body, sizeof(document));
		for (unsigned n = next_random(&seed) % 3 + 1; n; n--)
			document[next_random(&seed) % sizeof(document)] =
				bytes[next_random(&seed) % (sizeof(bytes) - 1)];
		if (!scans(t))
			continue;
		passed++;
		a = arena_new();
		if (json_parse(a, t, DEPTH, &why))
			parsed++;
		else if (strcmp(why, "a duplicate member") != 0)
			fail_msg("%s: %.*s", why, TEXT_ARG(t));
		arena_free(a);
	}
	print_message("%zu of 40000 mutations passed the scanner, json-c read %zu\n",
		      passed, parsed);
	assert_true(passed > 1000 && parsed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_refuses_beside_what_it_permits),
		cmocka_unit_test(nul_is_refused_raw_and_escaped),
		cmocka_unit_test(lone_surrogates_are_refused),
		cmocka_unit_test(an_escape_has_four_hexadecimal_digits),
		cmocka_unit_test(utf8_is_valid_only_where_it_decodes),
		cmocka_unit_test(the_log_learns_what_was_wrong),
		cmocka_unit_test(depth_ends_where_it_is_told),
		cmocka_unit_test(brackets_must_match_at_every_level),
		cmocka_unit_test(members_are_counted_at_every_level),
		cmocka_unit_test(every_prefix_of_a_document_is_refused),
		cmocka_unit_test(every_byte_turned_into_nul_is_refused),
		cmocka_unit_test(scanner_and_json_c_agree_on_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
