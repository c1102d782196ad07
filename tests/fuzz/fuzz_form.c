#include "form.h"
#include "fuzz.h"

/* The first field's decoded name, as an independent reader has it. */
static bool first_name(struct arena *a, struct text form, char *out, size_t size)
{
	size_t len = 0;

	(void)a;
	while (form.len && *form.data == '&')
		form = (struct text){ form.data + 1, form.len - 1 };
	for (size_t i = 0; i < form.len && form.data[i] != '&' && form.data[i] != '=';
	     i++) {
		char c = form.data[i] == '+' ? ' ' : form.data[i];
		unsigned value;
		char digits[3] = { 0 };

		if (c == '%') {
			memcpy(digits, form.data + i + 1, 2);
			REQUIRE(sscanf(digits, "%2x", &value) == 1);
			c = (char)value;
			i += 2;
		}
		if (len + 1 >= size)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return form.len > 0;
}

void fuzz_form(struct arena *a, struct text input)
{
	static const char *const names[] = { "credential", "id_token", "g_csrf_token",
					     "state" };
	struct problem p = { 0 };
	const bool good = form_check(a, input, &p);
	struct text value, again;
	char name[256];

	fuzz_through += good;
	REQUIRE(good == (p.kind == PROBLEM_NONE));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (form_field(a, input, names[i], &value)) {
			REQUIRE(!memchr(value.data, '\0', value.len) &&
				value.len <= input.len);
			REQUIRE(form_field(a, input, names[i], &again) &&
				text_equal(value, again));
			/* Once is for sure: the same form twice has every field twice. */
			REQUIRE(!form_field(a,
					    arena_printf(a, "%.*s&%.*s", TEXT_ARG(input),
							 TEXT_ARG(input)),
					    names[i], &again));
		}
	/* What form_check has let pass, form_field finds. */
	if (good && first_name(a, input, name, sizeof(name)))
		REQUIRE(form_field(a, input, name, &value));
}
