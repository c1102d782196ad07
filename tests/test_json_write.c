#include "json_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
