#include "json_fixture.h"

#include <math.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
