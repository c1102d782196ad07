#include "../lib/json.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEPTH 64
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool scans(struct text t)
{
	return json_scan(t, DEPTH, NULL) == NULL;
}

static const struct json *parse(struct arena *a, const char *document)
{
	const char *why = NULL;
	const struct json *value = json_parse(a, text_of(document), DEPTH, &why);

	if (!value)
		print_error("%s: %s\n", document, why);
	assert_non_null(value);
	return value;
}

static struct text text_in(const struct json *object, const char *where)
{
	const struct json *value;
	struct text t;

	assert_true(json_find(object, where, &value));
	assert_true(json_string(value, &t));
	return t;
}

/* A fixed sequence, so that a failure comes back. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int arena_setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int arena_teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* A login body as providers' SDKs post it: every kind of value, escapes and UTF-8. */
static const char login_body[] =
	"{\"oauth_token\": {\"access_token\": \"eyJhbGciOiJFUzI1NiJ9.e30.c2ln\",\n"
	"\t\"expires_in\": 3600, \"refresh\": null, \"scale\": -0.5e+2},\r\n"
	" \"user\": {\"name\": \"Andr\u00e9 \\\"\\u00e9\\ud83d\\ude00\\/\\\\\","
	" \"new\": false},\n"
	" \"list\": [1, [], {}, true, \"\xe2\x82\xac\xf0\x9f\x98\x80\"]}";

/* ---- the scanner */

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

static struct text nested(char *out, unsigned levels, const char *open, const char *close)
{
	size_t len = 0, open_len = strlen(open);

	for (unsigned i = 0; i < levels; i++, len += open_len)
		memcpy(out + len, open, open_len);
	if (open_len > 1)
		out[len++] = '1';
	for (unsigned i = 0; i < levels; i++)
		out[len++] = *close;
	return (struct text){ out, len };
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

/* ---- corpora that others wrote */

static const char *corpus(const char *name)
{
	static char path[4096];
	const char *corpora = getenv("PINTLE_CORPORA"), *top = getenv("top_srcdir");

	if (corpora)
		snprintf(path, sizeof(path), "%s/%s", corpora, name);
	else
		snprintf(path, sizeof(path), "%s/../shared/corpora/%s", top ? top : ".",
			 name);
	return path;
}

static bool read_file(struct arena *a, const char *path, struct text *out)
{
	FILE *file = fopen(path, "rb");
	size_t size = 1 << 20;
	char *data;

	if (!file)
		return false;
	data = arena_alloc(a, size);
	out->len = fread(data, 1, size, file);
	out->data = data;
	assert_true(out->len < size);
	fclose(file);
	return true;
}

/* Calls CHECK with the name and the bytes of each file; returns how many there were. */
static size_t each_file(const char *folder,
			void (*check)(const char *name, struct text t))
{
	const char *path = corpus(folder);
	DIR *dir = opendir(path);
	size_t count = 0;

	if (!dir) {
		print_message("skipped: %s (corpus absent)\n", folder);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct arena *a = arena_new();
		char file[4352];
		struct text t;

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && read_file(a, file, &t)) {
			check(entry->d_name, t);
			count++;
		}
		arena_free(a);
	}
	closedir(dir);
	return count;
}

static struct {
	size_t y, n, i, i_accepted, y_nul, y_duplicate;
} seen;

static void check_test_file(const char *name, struct text t)
{
	struct arena *a = arena_new();
	const char *why = json_scan(t, DEPTH, NULL), *parse_why = NULL;
	const struct json *value = json_parse(a, t, DEPTH, &parse_why);

	if (value && why)
		fail_msg("%s: parsed, but not scanned", name);
	if (name[0] == 'y') {
		bool nul = strstr(name, "null_escape") || strstr(name, "escaped_null");
		bool duplicate = strstr(name, "duplicated_key");

		seen.y++;
		seen.y_nul += nul;
		seen.y_duplicate += duplicate;
		if ((why != NULL) != nul || (value == NULL) != (nul || duplicate))
			fail_msg("%s: %s / %s", name, why, parse_why);
	} else if (name[0] == 'n') {
		seen.n++;
		if (!why)
			fail_msg("%s was accepted", name);
	} else {
		/* The rest of "either": broken UTF-8, half pairs, UTF-16, BOM, 500
		 * levels. */
		bool number = strncmp(name, "i_number_", 9) == 0;

		seen.i++;
		seen.i_accepted += !why;
		if ((why == NULL) != number || (value != NULL) != number)
			fail_msg("%s: %s / %s", name, why, parse_why);
	}
	if (value)
		assert_true(scans(json_print(a, value)));
	arena_free(a);
}

static void json_test_suite_is_decided_as_it_demands(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	if (!each_file("JSONTestSuite/test_parsing", check_test_file))
		return;
	print_message("JSONTestSuite: y %zu (%zu refused for NUL, %zu as duplicate), "
		      "n %zu, i %zu (%zu accepted)\n",
		      seen.y, seen.y_nul, seen.y_duplicate, seen.n, seen.i,
		      seen.i_accepted);
	assert_true(seen.y >= 90 && seen.n >= 180 && seen.i >= 30);
	assert_int_equal(seen.y_nul, 2);
	assert_int_equal(seen.y_duplicate, 2);
}

static void check_transform_file(const char *name, struct text t)
{
	struct arena *a = arena_new();
	const char *why = NULL;
	const struct json *value = json_parse(a, t, DEPTH, &why);
	bool refused = strncmp(name, "object_same_key", 15) == 0 ||
		       strstr(name, "invalid_codepoint") || strstr(name, "escaped_NULL");

	if ((value == NULL) != refused)
		fail_msg("%s: %s", name, why ? why : "accepted");
	if (strncmp(name, "object_same_key", 15) == 0)
		assert_string_equal(why, "a duplicate member");
	if (value)
		assert_true(scans(json_print(a, value)));
	arena_free(a);
}

static void json_test_suite_transforms_lose_nothing_silently(void **state)
{
	size_t count;

	(void)state;
	count = each_file("JSONTestSuite/test_transform", check_transform_file);
	print_message("test_transform: %zu files\n", count);
	assert_true(count == 0 || count >= 22);
}

static size_t read_hex(const char *hex, unsigned char *out)
{
	size_t digits = 0;

	for (; *hex && strncmp(hex, "nothing", 7) != 0; hex++) {
		int value = 0;

		if (*hex == ' ')
			continue;
		sscanf((char[]){ *hex, '\0' }, "%x", (unsigned *)&value);
		out[digits / 2] = (unsigned char)(out[digits / 2] << 4 | value);
		digits++;
	}
	return digits / 2;
}

/* The bytes that a written JSON string stands for, replacement characters left out. */
static size_t unescape(struct text json, unsigned char *out)
{
	size_t len = 0;

	for (size_t i = 1; i + 1 < json.len; i++) {
		const char *at = json.data + i;
		unsigned value;

		if (memcmp(at, "\xef\xbf\xbd", 3) == 0) {
			i += 2;
		} else if (sscanf(at, "\\u%4x", &value) == 1) {
			out[len++] = (unsigned char)value;
			i += 5;
		} else {
			out[len++] = (unsigned char)*at;
		}
	}
	return len;
}

static bool scans_as_string(const unsigned char *bytes, size_t len)
{
	char document[256] = "[\"";

	memcpy(document + 2, bytes, len);
	memcpy(document + 2 + len, "\"]", 2);
	return scans((struct text){ document, len + 4 });
}

static void check_valid_utf8(const char *number, const unsigned char *bytes, size_t len)
{
	bool control = false;

	for (size_t i = 0; i < len; i++)
		control = control || bytes[i] < 0x20;
	if (scans_as_string(bytes, len) == control)
		fail_msg("utf8tests %s: %s", number, control ? "accepted" : "refused");
}

/* KEPT: what the corpus says is left when the invalid bytes are dropped. */
static void check_invalid_utf8(const char *number, struct text bytes,
			       const unsigned char *kept, size_t kept_len)
{
	struct arena *a = arena_new();
	struct buffer b = buffer_new(a, 0);
	unsigned char got[1024], expected[256];
	size_t got_len, len = 0;

	if (scans_as_string((const unsigned char *)bytes.data, bytes.len))
		fail_msg("utf8tests %s: accepted", number);
	json_add_string(&b, NULL, bytes);
	got_len = unescape(buffer_text(&b), got);
	for (size_t i = 0; i < kept_len; i++) {
		if (kept_len - i >= 3 && memcmp(kept + i, "\xef\xbf\xbd", 3) == 0)
			i += 2;
		else
			expected[len++] = kept[i];
	}
	if (got_len != len || memcmp(got, expected, len) != 0)
		fail_msg("utf8tests %s: written as %.*s", number, (int)b.len, b.data);
	arena_free(a);
}

static void check_utf8_line(char *line, size_t *valid, size_t *invalid)
{
	unsigned char bytes[256] = { 0 }, kept[256] = { 0 };
	char *rest = line, *number = strsep(&rest, ":"), *kind = strsep(&rest, ":");
	char *value = strsep(&rest, ":");
	size_t len;

	kind += strspn(kind, " ");
	if (strcmp(kind, "valid") == 0) {
		check_valid_utf8(number, (unsigned char *)value, strlen(value));
		++*valid;
		return;
	}
	len = read_hex(value, bytes);
	if (strcmp(kind, "valid hex") == 0) {
		check_valid_utf8(number, bytes, len);
		++*valid;
		return;
	}
	assert_string_equal(kind, "invalid hex");
	value = strsep(&rest, ":");
	check_invalid_utf8(number, (struct text){ (char *)bytes, len }, kept,
			   read_hex(value, kept));
	++*invalid;
}

/* num:valid:ASCII, num:valid hex:HEX, num:invalid hex:HEX:what is left without them:… */
static void utf8_corpus_is_decided_as_it_says(void **state)
{
	size_t valid = 0, invalid = 0;
	struct text file;

	if (!read_file(*state, corpus("utf8tests/utf8tests.txt"), &file)) {
		print_message("skipped: utf8tests (corpus absent)\n");
		return;
	}
	while (file.len) {
		struct text line = text_before(file, '\n', &file);

		if (line.len && line.data[0] >= '0' && line.data[0] <= '9')
			check_utf8_line((char *)arena_copy(*state, line).data, &valid,
					&invalid);
	}
	print_message("utf8tests: %zu valid, %zu invalid\n", valid, invalid);
	assert_true(valid >= 76 && invalid >= 140);
}

/* ---- reading */

static void duplicates_are_refused_however_spelled(void **state)
{
	static const char *const duplicates[] = {
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":2,\"a\":3}",
		"{\"iss\":\"x\",\"\\u0069ss\":\"y\"}",
		"{\"\\u00e9\":1,\"\xc3\xa9\":2}",
		"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}",
		"{\"\\/\":1,\"/\":2}",
		"{\"\":1,\"\":2}",
		"{\"x\":{\"a\":1,\"a\":2}}",
		"[1,[{\"a\":null,\"a\":null}]]",
		"{\"a\":{\"b\":1},\"a\":{\"c\":1,\"d\":1}}",
		"{\"a\":1,\"a\":{\"x\":1}}",
	};
	static const char *const distinct[] = {
		"{\"a\":1,\"A\":1}",
		"{\"a\":1,\"a \":1}",
		"{\"a\":{\"a\":{\"a\":1}}}",
		"[{\"a\":1},{\"a\":1}]",
		"{\"\\u00e9\":1,\"e\xcc\x81\":2}",
		"{\"\":1,\" \":2}",
	};
	const char *why;

	for (size_t i = 0; i < COUNT(duplicates); i++) {
		assert_true(scans(text_of(duplicates[i])));
		if (json_parse(*state, text_of(duplicates[i]), DEPTH, &why))
			fail_msg("accepted: %s", duplicates[i]);
		assert_string_equal(why, "a duplicate member");
	}
	for (size_t i = 0; i < COUNT(distinct); i++)
		parse(*state, distinct[i]);
}

static void what_the_scanner_refuses_is_not_parsed(void **state)
{
	const char *why = NULL;

	assert_null(json_parse(*state, AS_TEXT("{'a':1}"), DEPTH, &why));
	assert_string_equal(why, "a member name is missing");
	assert_null(json_parse(*state, AS_TEXT(""), DEPTH, &why));
	assert_string_equal(why, "the text is empty");
	assert_null(json_parse(*state, AS_TEXT("[[[]]]"), 2, &why));
	assert_string_equal(why, "nested too deeply");
	assert_non_null(json_parse(*state, AS_TEXT("[[[]]]"), 3, &why));
}

static void depth_64_is_parsed_as_well_as_scanned(void **state)
{
	char document[1024];
	const char *why;
	const struct json *value;
	struct text t = nested(document, 64, "{\"a\":", "}");

	value = json_parse(*state, t, 1000, &why);
	assert_non_null(value);
	assert_true(text_equal(json_print(*state, value), t));
}

static void a_document_ends_where_its_length_says(void **state)
{
	static const char bytes[] = " \n[12] 3 \"x\"7";
	const struct json *value;
	const char *why;

	value = json_parse(*state, (struct text){ bytes, 6 }, DEPTH, &why);
	assert_true(text_is(json_print(*state, value), "[12]"));
	value = json_parse(*state, (struct text){ bytes, 7 }, DEPTH, &why);
	assert_true(text_is(json_print(*state, value), "[12]"));
	assert_null(json_parse(*state, (struct text){ bytes, 8 }, DEPTH, &why));
	value = json_parse(*state, (struct text){ bytes + 3, 1 }, DEPTH, &why);
	assert_true(text_is(json_print(*state, value), "1"));
	value = json_parse(*state, (struct text){ bytes + 9, 3 }, DEPTH, &why);
	assert_true(text_is(json_print(*state, value), "\"x\""));
}

static void a_lone_null_is_a_document_and_no_failure(void **state)
{
	const struct json *null = parse(*state, " null\n"), *out;
	struct text t;

	assert_int_equal(json_type(null), JSON_NULL);
	assert_int_equal(json_type(NULL), JSON_NULL);
	assert_false(json_member(null, "a", &out));
	assert_false(json_find(null, "/a", &out));
	assert_false(json_find(null, "/0", &out));
	assert_false(json_string(null, &t));
	assert_int_equal(json_array_length(null), 0);
	assert_true(text_is(json_print(*state, null), "null"));
}

static void a_lone_scalar_is_a_document(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
	} documents[] = {
		{ "0", JSON_NUMBER },	     { " 12 ", JSON_NUMBER },
		{ "1.5e3", JSON_NUMBER },    { "\"a\"", JSON_STRING },
		{ "\"\"\n", JSON_STRING },   { "true", JSON_BOOLEAN },
		{ " false", JSON_BOOLEAN },  { "[]", JSON_ARRAY },
		{ "\t{}\r\n", JSON_OBJECT },
	};

	for (size_t i = 0; i < COUNT(documents); i++)
		assert_int_equal(json_type(parse(*state, documents[i].text)),
				 documents[i].type);
}

static void a_getter_refuses_every_other_type(void **state)
{
	const struct json *all = parse(*state, "[null,true,1,1.5,\"s\",[],{}]");
	static const enum json_type types[] = { JSON_NULL,   JSON_BOOLEAN, JSON_NUMBER,
						JSON_NUMBER, JSON_STRING,  JSON_ARRAY,
						JSON_OBJECT };

	assert_int_equal(json_array_length(all), COUNT(types));
	for (size_t i = 0; i < COUNT(types); i++) {
		const struct json *value = json_array_at(all, i), *out = all;
		struct text t = AS_TEXT("kept");
		double number = 7;
		bool truth = false;

		assert_int_equal(json_type(value), types[i]);
		assert_int_equal(json_string(value, &t), types[i] == JSON_STRING);
		assert_true(text_is(t, types[i] == JSON_STRING ? "s" : "kept"));
		assert_int_equal(json_boolean(value, &truth), types[i] == JSON_BOOLEAN);
		assert_int_equal(truth, types[i] == JSON_BOOLEAN);
		assert_int_equal(json_number(value, &number), types[i] == JSON_NUMBER);
		assert_int_equal(number == 7, types[i] != JSON_NUMBER);
		assert_int_equal(json_array_length(value), 0);
		assert_false(json_member(value, "s", &out));
		assert_false(json_find(value, "/0", &out));
		assert_ptr_equal(out, all);
	}
}

static void numbers_of_any_size_are_read_without_harm(void **state)
{
	static const struct {
		const char *text;
		double value;
	} numbers[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "-0.0", 0 },
		{ "1.9", 1.9 },
		{ "-1E2", -100 },
		{ "253402300799", 253402300799.0 },
		{ "9007199254740993", 9007199254740992.0 },
		{ "1e400", INFINITY },
		{ "-1e400", -INFINITY },
		{ "1e-400", 0 },
	};
	static const char *const huge[] = {
		"9223372036854775807",	      "9223372036854775808",
		"18446744073709551615",	      "18446744073709551616",
		"99999999999999999999999999", "1e19",
	};
	double value;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		assert_true(json_number(parse(*state, numbers[i].text), &value));
		if (value != numbers[i].value)
			fail_msg("%s read as %g", numbers[i].text, value);
	}
	for (size_t i = 0; i < COUNT(huge); i++) {
		assert_true(json_number(parse(*state, huge[i]), &value));
		assert_true(value > 9.2e18);
	}
	assert_true(json_number(parse(*state, "-99999999999999999999"), &value));
	assert_true(value < -9.2e18);
}

static void ten_thousand_digits_are_read_without_harm(void **state)
{
	static char digits[10001];
	double value;

	memset(digits, '7', sizeof(digits) - 1);
	assert_true(json_number(parse(*state, digits), &value));
	assert_true(value > 9.2e18);
	digits[1] = '.';
	assert_true(json_number(parse(*state, digits), &value));
	assert_true(value > 7.77 && value < 7.78);
}

static void strings_come_decoded_with_their_length(void **state)
{
	const struct json *body = parse(*state, login_body);

	assert_true(text_is(text_in(body, "/user/name"),
			    "Andr\xc3\xa9 \"\xc3\xa9\xf0\x9f\x98\x80/\\"));
	assert_true(text_is(text_in(body, "/list/4"), "\xe2\x82\xac\xf0\x9f\x98\x80"));
	assert_int_equal(text_in(parse(*state, "[\"\"]"), "/0").len, 0);
}

static void a_member_that_is_null_is_there(void **state)
{
	const struct json *object = parse(*state, "{\"a\":null,\"l\":[null,1]}"),
			  *out = object;

	assert_true(json_member(object, "a", &out));
	assert_null(out);
	out = object;
	assert_true(json_find(object, "/a", &out));
	assert_null(out);
	out = object;
	assert_true(json_find(object, "/l/0", &out));
	assert_null(out);
	assert_false(json_find(object, "/a/b", &out));
	assert_false(json_find(object, "/l/0/b", &out));
	assert_false(json_member(object, "b", &out));
	assert_false(json_member(object, "A", &out));
}

/* The document of RFC 6901, 5, and the values that it promises. */
static void json_pointers_of_the_rfc_find_their_values(void **state)
{
	const struct json *document = parse(
		*state, "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
			"\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");
	static const char *const pointers[] = { "/",	 "/a~1b", "/c%d", "/e^f", "/g|h",
						"/i\\j", "/k\"l", "/ ",	  "/m~0n" };
	const struct json *value;
	double number;

	for (size_t i = 0; i < COUNT(pointers); i++) {
		if (!json_find(document, pointers[i], &value))
			fail_msg("not found: %s", pointers[i]);
		assert_true(json_number(value, &number));
		assert_true(number == (double)i);
	}
	assert_true(json_find(document, "/foo", &value));
	assert_int_equal(json_array_length(value), 2);
	assert_true(text_is(text_in(document, "/foo/0"), "bar"));
	assert_true(text_is(text_in(document, "/foo/1"), "baz"));
	assert_true(json_find(document, "", &value)); /* no pointer, the member "" */
	assert_int_equal(json_type(value), JSON_NUMBER);
}

static void a_pointers_escapes_are_undone_in_the_right_order(void **state)
{
	const struct json *document = parse(*state, "{\"~1\":\"tilde\",\"/\":\"slash\","
						    "\"a\":{\"b/c~d\":{\"\":\"deep\"}}}");
	const struct json *out;

	assert_true(text_is(text_in(document, "/~01"), "tilde"));
	assert_true(text_is(text_in(document, "/~1"), "slash"));
	assert_true(text_is(text_in(document, "/a/b~1c~0d/"), "deep"));
	assert_false(json_find(document, "/a/b/c~0d/", &out));
	assert_true(json_find(document, "a", &out));
	assert_false(json_find(document, "a/b~1c~0d", &out));
}

/* json-c alone finds the first element under "/l/" and "/l/4294967296". */
static void array_indexes_have_one_spelling(void **state)
{
	static const char *const wrong[] = {
		"/l/",		 "/l/-",
		"/l/-1",	 "/l/+1",
		"/l/01",	 "/l/00",
		"/l/ 1",	 "/l/1 ",
		"/l/1.0",	 "/l/1e0",
		"/l/0x1",	 "/l/11",
		"/l/a",		 "/l/~0",
		"/l/4294967296", "/l/4294967297",
		"/l/length",	 "/l/0/0",
		"/l//0",	 "/l/0/",
		"/l/2147483648", "/l/18446744073709551616",
	};
	const struct json *document = parse(*state, "{\"l\":[0,1,2,3,4,5,6,7,8,9,10],"
						    "\"o\":{\"01\":1,\"4294967296\":2}}");
	const struct json *out = document;
	double number;

	for (size_t i = 0; i < COUNT(wrong); i++)
		if (json_find(document, wrong[i], &out))
			fail_msg("found: %s", wrong[i]);
	assert_ptr_equal(out, document);
	assert_true(json_find(document, "/l/0", &out));
	assert_true(json_find(document, "/l/10", &out));
	assert_true(json_number(out, &number) && number == 10);
	assert_true(json_find(document, "/o/01", &out)); /* in an object it is a name */
	assert_true(json_find(document, "/o/4294967296", &out));
}

static void pointer_syntax_is_checked(void **state)
{
	static const char *const valid[] = { "/",     "//",   "/a",	  "/~0",
					     "/~1~0", "/a/b", "/\xc3\xa9" };
	static const char *const invalid[] = { "",    "a",   "~0",   "/~",
					       "/~2", "/a~", "/~/a", "/~~0" };
	const struct json *document =
				  parse(*state, "{\"~2\":1,\"~\":2,\"a\":3,\"a~\":4}"),
			  *out;

	for (size_t i = 0; i < COUNT(valid); i++)
		assert_true(json_pointer_is_valid(valid[i]));
	for (size_t i = 0; i < COUNT(invalid); i++)
		assert_false(json_pointer_is_valid(invalid[i]));
	assert_false(json_find(document, "/~2", &out));
	assert_false(json_find(document, "/~", &out));
	assert_false(json_find(document, "/a~", &out));
	assert_true(json_find(document, "/a~0", &out));
	assert_true(json_find(document, "/a", &out));
}

static bool collect(void *context, struct text name, const struct json *value)
{
	struct buffer *b = context;

	(void)value;
	buffer_add(b, name);
	buffer_add_char(b, ' ');
	return !text_is(name, "stop");
}

static void each_visits_members_until_told_to_stop(void **state)
{
	struct buffer b = buffer_new(*state, 0);

	assert_true(
		json_each(parse(*state, "{\"x\":1,\"y\":null,\"z\":[]}"), collect, &b));
	assert_false(
		json_each(parse(*state, "{\"a\":1,\"stop\":2,\"b\":3}"), collect, &b));
	assert_true(json_each(parse(*state, "[1]"), collect, &b));
	assert_true(text_is(buffer_text(&b), "x y z a stop "));
}

static void printing_keeps_value_order_and_spelling_of_numbers(void **state)
{
	static const char document[] =
		"{\"z\":1,\"a\":[true,false,null,{}],\"r\":1.10,\"e\":1e400,"
		"\"s\":\"a/b\\n\\\"\xc3\xa9\",\"t\":-5}";

	assert_true(text_is(json_print(*state, parse(*state, document)), document));
	assert_true(text_is(json_print(*state, parse(*state, " [ 1 , 2 ] ")), "[1,2]"));
	assert_true(text_is(json_print(*state, NULL), "null"));
}

static void a_printed_claim_cannot_become_markup(void **state)
{
	struct text printed = json_print(
		*state,
		parse(*state,
		      "{\"<b>\":\"</script>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac\"}"));

	assert_true(text_is(printed, "{\"\\u003cb\\u003e\":\"\\u003c/script\\u003e\\u0026"
				     "\\u2028\\u2029\xe2\x82\xac\"}"));
}

/* ---- writing */

static void commas_stand_where_they_belong(void **state)
{
	struct buffer b = buffer_new(*state, 4);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "s", AS_TEXT("{"));
	json_add_number(&b, "n", INT64_MIN);
	json_begin(&b, "l", '[');
	json_begin(&b, NULL, '{');
	json_end(&b, '}');
	json_begin(&b, NULL, '[');
	json_end(&b, ']');
	json_add_string(&b, NULL, AS_TEXT("["));
	json_add_string(&b, NULL, AS_TEXT(""));
	json_add_null(&b, NULL);
	json_add_boolean(&b, NULL, true);
	json_add_number(&b, NULL, 42);
	json_add_raw(&b, NULL, AS_TEXT("{ \"x\" : [ ] } "));
	json_end(&b, ']');
	json_add_boolean(&b, "f", false);
	json_add_null(&b, "z");
	json_end(&b, '}');
	assert_true(
		text_is(buffer_text(&b),
			"{\"s\":\"{\",\"n\":-9223372036854775808,\"l\":[{},[],\"[\",\"\","
			"null,true,42,{ \"x\" : [ ] } ],\"f\":false,\"z\":null}"));
	assert_true(scans(buffer_text(&b)));
}

static struct text written(struct arena *a, struct text value)
{
	struct buffer b = buffer_new(a, 0);

	json_add_string(&b, NULL, value);
	return buffer_text(&b);
}

static void dangerous_characters_are_escaped(void **state)
{
	assert_true(text_is(written(*state, AS_TEXT("a\"b\\c/d")), "\"a\\\"b\\\\c/d\""));
	assert_true(
		text_is(written(*state, AS_TEXT("\0\x01\n\r\t\x1b\x1f\x7f ")),
			"\"\\u0000\\u0001\\u000a\\u000d\\u0009\\u001b\\u001f\\u007f \""));
	assert_true(text_is(written(*state, AS_TEXT("</script><!--&'=")),
			    "\"\\u003c/script\\u003e\\u003c!--\\u0026'=\""));
	assert_true(
		text_is(written(*state, AS_TEXT("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa")),
			"\"\\u2028\\u2029\xe2\x80\xaa\""));
	assert_true(text_is(written(*state, AS_TEXT("\xc2\x9b\xc2\xa0\xc3\xa9")),
			    "\"\\u009b\xc2\xa0\xc3\xa9\""));
	assert_true(text_is(written(*state, (struct text){ NULL, 0 }), "\"\""));
}

static void all_other_ascii_is_written_as_it_is(void **state)
{
	(void)state;
	for (char c = ' '; c <= '~'; c++) {
		struct arena *a = arena_new();
		const char plain[] = { '"', c, '"' };
		bool same = text_equal(written(a, (struct text){ &c, 1 }),
				       (struct text){ plain, sizeof(plain) });

		assert_int_equal(same, !strchr("\"\\<>&", c));
		arena_free(a);
	}
}

static void names_are_escaped_like_values(void **state)
{
	struct buffer b = buffer_new(*state, 0);

	json_begin(&b, NULL, '{');
	json_add_number(&b, "<\"\n\xff", 1);
	json_end(&b, '}');
	assert_true(text_is(buffer_text(&b), "{\"\\u003c\\\"\\u000a\xef\xbf\xbd\":1}"));
}

static void each_invalid_byte_is_replaced(void **state)
{
	assert_true(text_is(written(*state, AS_TEXT("a\xffz")), "\"a\ufffdz\""));
	assert_true(text_is(written(*state, AS_TEXT("\xe2\x82")),
			    "\"\xef\xbf\xbd\xef\xbf\xbd\""));
	assert_true(text_is(written(*state, AS_TEXT("\xc0\xbc")),
			    "\"\xef\xbf\xbd\xef\xbf\xbd\""));
	assert_true(text_is(written(*state, AS_TEXT("\xed\xa0\x80")),
			    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""));
	assert_true(text_is(written(*state, AS_TEXT("\xe2\x82\"")),
			    "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\""));
}

/* Any bytes at all make one JSON string, and valid ones come back as they went in. */
static void whatever_is_written_can_be_read(void **state)
{
	uint32_t seed = 99;
	size_t same = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct arena *a = arena_new();
		char bytes[24], document[32] = "\"";
		size_t len = next_random(&seed) % sizeof(bytes);
		struct text t = { bytes, len }, out;
		const struct json *value;
		const char *why;

		for (size_t i = 0; i < len;
		     i++) /* half of them ASCII; NUL is refused on reading */
			bytes[i] =
				(char)(next_random(&seed) % (round % 2 ? 127 : 255) + 1);
		out = written(a, t);
		value = json_parse(a, out, 0, &why);
		assert_non_null(value);
		for (size_t i = 0; i < out.len; i++)
			assert_null(strchr("<>&", out.data[i]));
		memcpy(document + 1, bytes, len);
		document[len + 1] = '"';
		if (round % 2 || scans((struct text){ document, len + 2 })) {
			assert_true(json_string(value, &out));
			assert_true(text_equal(out, t));
			same++;
		}
		arena_free(a);
	}
	assert_true(same >= 10000);
}

static void raw_text_is_kept_but_for_markup(void **state)
{
	struct buffer b = buffer_new(*state, 0);
	const struct json *value;
	const char *why;
	static const char raw[] =
		"{\"a\" : [1.50,\"\\u0041\\\\\x7f\xe2\x82\xac\xf0\x9f\x98\x80\"]}";

	json_begin(&b, NULL, '{');
	json_add_raw(&b, "claims", text_of(raw));
	json_add_raw(&b, "m", AS_TEXT("\"\\\\<&>\xe2\x80\xa8\""));
	json_end(&b, '}');
	assert_true(text_is(
		buffer_text(&b),
		"{\"claims\":{\"a\" : [1.50,\"\\u0041\\\\\x7f\xe2\x82\xac"
		"\xf0\x9f\x98\x80\"]},\"m\":\"\\\\\\u003c\\u0026\\u003e\\u2028\"}"));
	value = json_parse(*state, buffer_text(&b), DEPTH, &why);
	assert_true(text_is(text_in(value, "m"), "\\<&>\xe2\x80\xa8"));
}

#define IN_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

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
		cmocka_unit_test(json_test_suite_is_decided_as_it_demands),
		cmocka_unit_test(json_test_suite_transforms_lose_nothing_silently),
		IN_ARENA(utf8_corpus_is_decided_as_it_says),
		IN_ARENA(duplicates_are_refused_however_spelled),
		IN_ARENA(what_the_scanner_refuses_is_not_parsed),
		IN_ARENA(depth_64_is_parsed_as_well_as_scanned),
		IN_ARENA(a_document_ends_where_its_length_says),
		IN_ARENA(a_lone_null_is_a_document_and_no_failure),
		IN_ARENA(a_lone_scalar_is_a_document),
		IN_ARENA(a_getter_refuses_every_other_type),
		IN_ARENA(numbers_of_any_size_are_read_without_harm),
		IN_ARENA(ten_thousand_digits_are_read_without_harm),
		IN_ARENA(strings_come_decoded_with_their_length),
		IN_ARENA(a_member_that_is_null_is_there),
		IN_ARENA(json_pointers_of_the_rfc_find_their_values),
		IN_ARENA(a_pointers_escapes_are_undone_in_the_right_order),
		IN_ARENA(array_indexes_have_one_spelling),
		IN_ARENA(pointer_syntax_is_checked),
		IN_ARENA(each_visits_members_until_told_to_stop),
		IN_ARENA(printing_keeps_value_order_and_spelling_of_numbers),
		IN_ARENA(a_printed_claim_cannot_become_markup),
		IN_ARENA(commas_stand_where_they_belong),
		IN_ARENA(dangerous_characters_are_escaped),
		cmocka_unit_test(all_other_ascii_is_written_as_it_is),
		IN_ARENA(names_are_escaped_like_values),
		IN_ARENA(each_invalid_byte_is_replaced),
		cmocka_unit_test(whatever_is_written_can_be_read),
		IN_ARENA(raw_text_is_kept_but_for_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
