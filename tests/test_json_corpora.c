/* The scanner and the parser, over corpora that others wrote. */
#include "json_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "corpus.h"

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
	struct arena *all = arena_new();
	const char *path = corpus_path(all, folder);
	DIR *dir = opendir(path);
	size_t count = 0;

	if (!dir)
		print_message("skipped: %s (corpus absent)\n", folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct arena *a = arena_new();
		struct text t;

		if (entry->d_name[0] != '.' &&
		    read_file(a, arena_printf(a, "%s/%s", path, entry->d_name).data,
			      &t)) {
			check(entry->d_name, t);
			count++;
		}
		arena_free(a);
	}
	if (dir)
		closedir(dir);
	arena_free(all);
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

	if (!read_file(*state, corpus_path(*state, "utf8tests/utf8tests.txt"), &file)) {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_test_suite_is_decided_as_it_demands),
		cmocka_unit_test(json_test_suite_transforms_lose_nothing_silently),
		IN_ARENA(utf8_corpus_is_decided_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
