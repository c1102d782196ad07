#include "config_private.h"

#include <ctype.h>
#include <inttypes.h>

#include "buffer.h"

const struct config_option config_options[CONFIG_OPTIONS] = {
#define STRUCT_top config
#define STRUCT_database config_database
#define STRUCT_provider config_provider
#define STRUCT_accounts config_accounts
#define STRUCT_session config_session
#define STRUCT_log config_log
#define OPTION(section, name, kind, field, value, limits, help)                          \
	{ CONFIG_##section,                                                              \
	  CONFIG_##kind,                                                                 \
	  #name,                                                                         \
	  offsetof(struct STRUCT_##section, field),                                      \
	  sizeof(((struct STRUCT_##section *)NULL)->field),                              \
	  value,                                                                         \
	  limits,                                                                        \
	  help },
#include "options.def"
#undef OPTION
};

/* One value on its way from text to field. */
struct setting {
	struct config_state *s;
	const struct config_option *option;
	int line;
};

static bool refuse(const struct setting *v, const char *item, const char *why)
{
	if (strcmp(v->option->limits, "secret") == 0)
		return config_error(v->s, v->line, "%s: %s", v->option->name, why);
	return config_error(v->s, v->line, "%s: \"%s\" %s", v->option->name, item, why);
}

struct config_list config_list_split(struct arena *a, const char *text)
{
	struct config_list list = {
		arena_alloc(a, (strlen(text) / 2 + 2) * sizeof(char *)), 0
	};

	for (struct text rest = text_trim(text_of(text)); rest.len;
	     rest = text_trim(rest)) {
		struct text item = text_before(rest, ' ', &rest);

		list.items[list.count++] = (char *)arena_copy(a, item).data;
	}
	return list;
}

/* The index of ITEM in "a|b|c", or -1. */
static int choice_find(const char *choices, const char *item, bool nocase)
{
	struct text rest = text_of(choices);

	for (int i = 0; rest.len; i++) {
		struct text choice = text_before(rest, '|', &rest);

		if (nocase ? text_equal_nocase(choice, text_of(item))
			   : text_is(choice, item))
			return i;
	}
	return -1;
}

static struct text choice_at(const char *choices, int index)
{
	struct text choice, rest = text_of(choices);

	do
		choice = text_before(rest, '|', &rest);
	while (index-- > 0);
	return choice;
}

static bool has_shape(const struct setting *v, char *item)
{
	const char *why = config_shape_check(v->s->arena, v->option->limits, item);

	return !why || refuse(v, item, why);
}

static bool set_text(const struct setting *v, const struct config_list *items,
		     void *field)
{
	char *item = config_copy(v->s->arena, items->items[0]);

	if (*item && !has_shape(v, item))
		return false;
	*(char **)field = *item ? item : NULL;
	return true;
}

static bool set_name(const struct setting *v, const struct config_list *items,
		     void *field)
{
	const int index = choice_find(v->option->limits, items->items[0], true);

	if (index < 0)
		return refuse(v, items->items[0],
			      config_printf(v->s->arena, "is not one of %s",
					    v->option->limits));
	*(char **)field =
		(char *)arena_copy(v->s->arena, choice_at(v->option->limits, index)).data;
	return true;
}

static bool set_list(const struct setting *v, const struct config_list *items,
		     void *field)
{
	struct config_list list = {
		arena_alloc(v->s->arena, (items->count + 1) * sizeof(char *)), 0
	};

	for (size_t i = 0; i < items->count; i++) {
		char *item = config_copy(v->s->arena, items->items[i]);

		if (!*item)
			return refuse(v, item, "is an empty entry");
		if (!has_shape(v, item))
			return false;
		list.items[list.count++] = item;
	}
	*(struct config_list *)field = list;
	return true;
}

/* A number, with one of UNITS behind it worth FACTORS each, or none. -1: it is none. */
static int64_t measure(struct text text, const char *units, const int64_t *factors)
{
	const char *unit =
		*units && text.len ? strchr(units, text.data[text.len - 1]) : NULL;
	int64_t number;

	if (unit)
		text.len--;
	if (!text_to_number(text, &number))
		return -1;
	if (unit && number > INT64_MAX / factors[unit - units])
		return INT64_MAX;
	return unit ? number * factors[unit - units] : number;
}

static int64_t measure_kind(enum config_kind kind, struct text text)
{
	static const int64_t seconds[] = { 1, 60, 3600, 86400 },
			     bytes[] = { 1024, 1048576 };

	if (kind == CONFIG_DURATION)
		return measure(text, "smhd", seconds);
	if (kind == CONFIG_SIZE)
		return measure(text, "km", bytes);
	return measure(text, "", NULL);
}

static bool set_measure(const struct setting *v, const struct config_list *items,
			void *field)
{
	const struct config_option *o = v->option;
	const char *item = items->items[0];
	struct text high, low = text_before(text_of(o->limits), '.', &high);
	const int64_t value = measure_kind(o->kind, text_of(item));

	high = (struct text){ high.data + 1, high.len - 1 }; /* the second dot */
	if (value < 0)
		return refuse(v, item,
			      o->kind == CONFIG_DURATION
				      ? "is no duration such as 90s, 5m, 12h or 30d"
			      : o->kind == CONFIG_SIZE ? "is no size such as 64k or 1m"
						       : "is no whole number");
	if (o->kind == CONFIG_DURATION && isdigit((unsigned char)item[strlen(item) - 1]))
		return refuse(v, item,
			      config_printf(v->s->arena, "has no unit: write %ss", item));
	if (value < measure_kind(o->kind, low) || value > measure_kind(o->kind, high))
		return refuse(v, item,
			      config_printf(v->s->arena, "is not in %s", o->limits));
	if (o->size == sizeof(int))
		*(int *)field = (int)value;
	else
		*(int64_t *)field = value; /* size_t as well */
	return true;
}

static bool set_yesno(const struct setting *v, const struct config_list *items,
		      void *field)
{
	static const char choices[] = "no|yes|false|true|off|on";
	const int index = choice_find(choices, items->items[0], true);

	if (index < 0)
		return refuse(v, items->items[0], "is neither yes nor no");
	*(bool *)field = index % 2;
	return true;
}

static bool set_choice(const struct setting *v, const struct config_list *items,
		       void *field)
{
	const int index = choice_find(v->option->limits, items->items[0], false);

	if (index < 0)
		return refuse(v, items->items[0],
			      config_printf(v->s->arena, "is not one of %s",
					    v->option->limits));
	if (v->option->size == sizeof(bool))
		*(bool *)field = index;
	else
		*(int *)field = index; /* any enum of config.h */
	return true;
}

static struct text print_algorithms(struct arena *a, jws_algorithm_set set,
				    const char *separator)
{
	struct buffer b = buffer_new(a, 128);

	for (unsigned i = 0; i < JWS_ALGORITHMS; i++)
		if (set & 1u << i)
			buffer_printf(&b, "%s%s", b.len ? separator : "",
				      jws_algorithm_name((enum jws_algorithm)i));
	return buffer_text(&b);
}

static bool set_algorithms(const struct setting *v, const struct config_list *items,
			   void *field)
{
	const jws_algorithm_set all = (1u << JWS_ALGORITHMS) - 1;
	jws_algorithm_set set = 0;
	enum jws_algorithm found;

	for (size_t i = 0; i < items->count; i++) {
		if (!jws_algorithm_find(text_of(items->items[i]), &found))
			return refuse(v, items->items[i],
				      config_printf(v->s->arena,
						    "is never accepted; there are %.*s",
						    TEXT_ARG(print_algorithms(
							    v->s->arena, all, " "))));
		set |= 1u << found;
	}
	*(jws_algorithm_set *)field = set;
	return true;
}

/* A JSON Pointer may hold a "=", a value after one does not begin before its last. */
static bool parse_rule(const struct setting *v, const char *text, struct claim_rule *out)
{
	char *rule = config_copy(v->s->arena, text), *claim = rule + (*rule == '!');
	char *equals = claim[0] == '/' ? strrchr(claim, '=') : strchr(claim, '=');
	const char *values = equals ? equals + 1 : "";
	const char *why;

	if (!*claim || equals == claim || (equals ? !*values : claim == rule))
		return refuse(v, text, "is no rule such as claim=value or claim=a|b");
	if (*values && (values[0] == '|' || values[strlen(values) - 1] == '|' ||
			strstr(values, "||")))
		return refuse(v, text, "has an empty value");
	if (equals)
		*equals = '\0';
	why = config_shape_check(v->s->arena, "claim", claim);
	if (why)
		return refuse(v, claim, why);
	*out = (struct claim_rule){ rule, values };
	return true;
}

static bool set_rules(const struct setting *v, const struct config_list *items,
		      void *field)
{
	struct config_provider *provider =
		(void *)((char *)field - offsetof(struct config_provider, require));
	struct claim_rule *rules =
		arena_alloc(v->s->arena, items->count * sizeof(*rules));

	for (size_t i = 0; i < items->count; i++)
		if (!parse_rule(v, items->items[i], &rules[i]))
			return false;
	provider->require = rules;
	provider->require_count = items->count;
	return true;
}

static bool set_verified(const struct setting *v, const struct config_list *items,
			 void *field)
{
	struct config_provider *provider =
		(void *)((char *)field - offsetof(struct config_provider, verified));
	const int fixed = choice_find("never|always", items->items[0], false);

	if (fixed < 0 && !parse_rule(v, items->items[0], &provider->verified_rule))
		return false;
	if (fixed < 0 && provider->verified_rule.claim[0] == '!')
		return refuse(v, items->items[0],
			      "says what is not so, and that proves no address");
	provider->verified =
		fixed < 0 ? CONFIG_VERIFIED_RULE : (enum config_verified)fixed;
	return true;
}

static bool (*const setters[])(const struct setting *, const struct config_list *,
			       void *) = {
	[CONFIG_TEXT] = set_text,
	[CONFIG_NAME] = set_name,
	[CONFIG_LIST] = set_list,
	[CONFIG_NUMBER] = set_measure,
	[CONFIG_DURATION] = set_measure,
	[CONFIG_SIZE] = set_measure,
	[CONFIG_YESNO] = set_yesno,
	[CONFIG_CHOICE] = set_choice,
	[CONFIG_ALGORITHMS] = set_algorithms,
	[CONFIG_RULES] = set_rules,
	[CONFIG_VERIFIED] = set_verified,
};

bool config_value_set(struct config_state *s, const struct config_block *b,
		      enum config_option_id id, const struct config_list *items, int line)
{
	const struct config_option *o = &config_options[id];
	const struct setting v = { s, o, line };
	const char *allowed = strcmp(o->limits, "sql") == 0 ? "\t\r\n" : "";

	for (size_t i = 0; i < items->count; i++)
		for (const char *c = items->items[i]; *c; c++)
			if (((unsigned char)*c < ' ' && !strchr(allowed, *c)) ||
			    *c == 0x7f)
				return refuse(&v, items->items[i],
					      "has a control character in it");
	return setters[o->kind](&v, items, (char *)b->base + o->offset);
}

void config_value_clear(const struct config_block *b, enum config_option_id id)
{
	memset((char *)b->base + config_options[id].offset, 0, config_options[id].size);
}

/* ---- and back: what `pintlectl config` shows */

static struct text print_list(struct arena *a, const struct config_list *list)
{
	struct buffer b = buffer_new(a, 128);

	for (size_t i = 0; i < list->count; i++)
		buffer_printf(&b, "%s%s", i ? ", " : "", list->items[i]);
	return buffer_text(&b);
}

/* In the greatest unit that divides it. */
static struct text print_measure(struct arena *a, enum config_kind kind, int64_t value)
{
	const char *units = kind == CONFIG_DURATION ? "dhms"
			    : kind == CONFIG_SIZE   ? "mk"
						    : "";

	for (; *units; units++) {
		const char unit[] = { '1', *units, '\0' };
		const int64_t factor = measure_kind(kind, text_of(unit));

		if ((value && value % factor == 0) ||
		    (kind == CONFIG_DURATION && !units[1]))
			return arena_printf(a, "%" PRId64 "%c", value / factor, *units);
	}
	return arena_printf(a, "%" PRId64, value);
}

static struct text print_rules(struct arena *a, const struct claim_rule *rules,
			       size_t count)
{
	struct buffer b = buffer_new(a, 128);

	for (size_t i = 0; i < count; i++)
		buffer_printf(&b, "%s%s%s%s", i ? ", " : "", rules[i].claim,
			      *rules[i].values ? "=" : "", rules[i].values);
	return buffer_text(&b);
}

static struct text print_verified(struct arena *a, const struct config_provider *provider)
{
	if (provider->verified == CONFIG_VERIFIED_RULE)
		return print_rules(a, &provider->verified_rule, 1);
	return text_of(provider->verified == CONFIG_VERIFIED_ALWAYS ? "always" : "never");
}

static struct text print(struct arena *a, const struct config_option *o, const void *base)
{
	const void *field = (const char *)base + o->offset;
	const struct config_provider *provider = base;

	switch (o->kind) {
	case CONFIG_TEXT:
	case CONFIG_NAME:
		if (*(char *const *)field && strcmp(o->limits, "secret") == 0)
			return AS_TEXT("********");
		return text_of(*(char *const *)field);
	case CONFIG_LIST:
		return print_list(a, field);
	case CONFIG_NUMBER:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return print_measure(a, o->kind,
				     o->size == sizeof(int) ? *(const int *)field
							    : *(const int64_t *)field);
	case CONFIG_YESNO:
		return text_of(*(const bool *)field ? "yes" : "no");
	case CONFIG_CHOICE:
		return choice_at(o->limits, o->size == sizeof(bool)
						    ? *(const bool *)field
						    : *(const int *)field);
	case CONFIG_ALGORITHMS:
		return print_algorithms(a, provider->algorithms, ", ");
	case CONFIG_RULES:
		return print_rules(a, provider->require, provider->require_count);
	case CONFIG_VERIFIED:
		return print_verified(a, provider);
	}
	return AS_TEXT("");
}

const char *config_value_print(struct arena *a, const struct config_block *b,
			       enum config_option_id id)
{
	return arena_copy(a, print(a, &config_options[id], b->base)).data;
}
