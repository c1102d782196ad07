#include "base64url.h"
#include "fuzz.h"

/* RFC 4648, 5 by the book: the bits in a row, cut into bytes. */
static bool is_canonical(struct text t, struct arena *a, struct text *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *bits = arena_alloc(a, t.len * 6 + 1), *bytes = arena_alloc(a, t.len + 1);
	const size_t len = t.len * 6 / 8;

	for (size_t i = 0; i < t.len; i++) {
		const char *at = t.data[i] ? strchr(alphabet, t.data[i]) : NULL;

		if (!at)
			return false;
		for (int bit = 0; bit < 6; bit++)
			bits[i * 6 + (size_t)bit] =
				(char)((at - alphabet) >> (5 - bit) & 1);
	}
	for (size_t i = 0; i < len * 8; i++)
		bytes[i / 8] = (char)(bytes[i / 8] * 2 + bits[i]);
	for (size_t i = len * 8; i < t.len * 6; i++)
		if (bits[i])
			return false;
	*out = (struct text){ bytes, len };
	return t.len * 6 - len * 8 < 6; /* no character that gives no bit */
}

void fuzz_base64url(struct arena *a, struct text input)
{
	struct text decoded, wanted;
	char *encoded;

	/* As text: taken or refused as by the book, and one spelling for each byte string. */
	if (base64url_decode_text(a, input, &decoded)) {
		fuzz_through++;
		REQUIRE(is_canonical(input, a, &wanted) && text_equal(decoded, wanted));
		encoded = arena_alloc(a, BASE64URL_ENCODED(decoded.len) + 1);
		base64url_encode((const unsigned char *)decoded.data, decoded.len,
				 encoded);
		REQUIRE(text_is(input, encoded));
	} else {
		REQUIRE(!is_canonical(input, a, &wanted));
	}
	/* As bytes: there and back again. */
	encoded = arena_alloc(a, BASE64URL_ENCODED(input.len) + 1);
	base64url_encode((const unsigned char *)input.data, input.len, encoded);
	REQUIRE(strlen(encoded) == BASE64URL_ENCODED(input.len));
	REQUIRE(base64url_decode_text(a, text_of(encoded), &decoded));
	REQUIRE(text_equal(decoded, input));
}
