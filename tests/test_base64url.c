#include "../lib/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Into a block of exactly the promised size: a byte too many is seen by the sanitizer. */
static bool decodes(struct text encoded)
{
	unsigned char *out = malloc(BASE64URL_DECODED(encoded.len) + !encoded.len);
	bool good = base64url_decode(encoded, out);

	free(out);
	return good;
}

/* RFC 4648, 10, without the padding; RFC 7515, appendix C. */
static void the_rfcs_vectors_go_both_ways(void **state)
{
	static const struct {
		struct text bytes;
		const char *encoded;
	} vectors[] = {
		{ TEXT(""), "" },
		{ TEXT("f"), "Zg" },
		{ TEXT("fo"), "Zm8" },
		{ TEXT("foo"), "Zm9v" },
		{ TEXT("foob"), "Zm9vYg" },
		{ TEXT("fooba"), "Zm9vYmE" },
		{ TEXT("foobar"), "Zm9vYmFy" },
		{ TEXT("\x03\xec\xff\xe0\xc1"), "A-z_4ME" },
		{ TEXT("\0\0\0"), "AAAA" },
		{ TEXT("\xff\xff\xff"), "____" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct text decoded;
		char encoded[16];

		base64url_encode((const unsigned char *)vectors[i].bytes.data,
				 vectors[i].bytes.len, encoded);
		assert_string_equal(encoded, vectors[i].encoded);
		assert_true(base64url_decode_text(a, text_of(encoded), &decoded));
		assert_true(text_equal(decoded, vectors[i].bytes));
		assert_int_equal(decoded.data[decoded.len], '\0');
	}
	arena_free(a);
}

static void every_length_comes_back_as_it_went(void **state)
{
	unsigned char bytes[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 151 + 77);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		char *encoded = malloc(BASE64URL_ENCODED(len) + 1);
		unsigned char *decoded = malloc(len + 1);

		base64url_encode(bytes, len, encoded);
		assert_int_equal(strlen(encoded), BASE64URL_ENCODED(len));
		assert_int_equal(BASE64URL_DECODED(strlen(encoded)), len);
		decoded[len] = 0x5a;
		assert_true(base64url_decode(text_of(encoded), decoded));
		assert_memory_equal(decoded, bytes, len);
		assert_int_equal(decoded[len], 0x5a);
		free(encoded);
		free(decoded);
	}
}

/* libjwt skips what it does not know, and gives one token a thousand names. */
static void no_byte_outside_the_alphabet_is_skipped(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < 8; at++) {
			char encoded[] = "AAAAAAAA";
			bool known = c && strchr(alphabet, c);

			encoded[at] = (char)c;
			if (decodes((struct text){ encoded, 8 }) != known)
				fail_msg("byte %d at %zu", c, at);
		}
	assert_false(decodes(AS_TEXT("Zm8=")));
	assert_false(decodes(AS_TEXT("Zg==")));
	assert_false(decodes(AS_TEXT("Zm9v\n")));
	assert_false(decodes(AS_TEXT(" Zm9v")));
	assert_false(decodes(AS_TEXT("Zm9v Zm9v")));
	assert_false(decodes(AS_TEXT("Zm9v\0Zm8")));
	assert_false(decodes(AS_TEXT("A+z/4ME")));
	assert_true(decodes(AS_TEXT("A-z_4ME")));
}

static void a_single_character_over_is_refused(void **state)
{
	static const char encoded[] = "AAAAAAAAAAAAAAAAAAAA";

	(void)state;
	for (size_t len = 0; len < sizeof(encoded); len++)
		assert_int_equal(decodes((struct text){ encoded, len }), len % 4 != 1);
}

/*
 * Of all two- and three-letter tails exactly as many are good as there are byte strings.
 */
static void each_byte_string_has_one_spelling(void **state)
{
	size_t two = 0, three = 0;

	(void)state;
	for (int i = 0; i < 64; i++)
		for (int j = 0; j < 64; j++) {
			char tail[] = { alphabet[i], alphabet[j], 'A', '\0' };

			two += decodes((struct text){ tail, 2 });
			for (int k = 0; k < 64; k++) {
				tail[2] = alphabet[k];
				three += decodes((struct text){ tail, 3 });
			}
		}
	assert_int_equal(two, 256);
	assert_int_equal(three, 65536);
	assert_true(decodes(AS_TEXT("Zg")));
	assert_false(decodes(AS_TEXT("Zh")));
	assert_true(decodes(AS_TEXT("Zm8")));
	assert_false(decodes(AS_TEXT("Zm9")));
}

static void a_refused_text_leaves_its_output_alone(void **state)
{
	struct arena *a = arena_new();
	struct text out = AS_TEXT("kept");

	(void)state;
	assert_false(base64url_decode_text(a, AS_TEXT("Zm9"), &out));
	assert_true(text_is(out, "kept"));
	assert_true(base64url_decode_text(
		a, AS_TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &out));
	memset(arena_alloc(a, 32), 'x', 32);
	assert_int_equal(out.len, 32);
	assert_int_equal(out.data[32], '\0');
	assert_true(base64url_decode_text(a, (struct text){ NULL, 0 }, &out));
	assert_int_equal(out.len, 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_vectors_go_both_ways),
		cmocka_unit_test(every_length_comes_back_as_it_went),
		cmocka_unit_test(no_byte_outside_the_alphabet_is_skipped),
		cmocka_unit_test(a_single_character_over_is_refused),
		cmocka_unit_test(each_byte_string_has_one_spelling),
		cmocka_unit_test(a_refused_text_leaves_its_output_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
