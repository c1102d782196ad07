#include "config_private.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "secret.h"

static const struct {
	const char *name;
	size_t offset; /* of its struct in struct config */
} sections[CONFIG_SECTIONS] = {
	[CONFIG_top] = { "", 0 },
	[CONFIG_database] = { "database", offsetof(struct config, database) },
	[CONFIG_accounts] = { "accounts", offsetof(struct config, accounts) },
	[CONFIG_session] = { "session", offsetof(struct config, session) },
	[CONFIG_log] = { "log", offsetof(struct config, log) },
	[CONFIG_provider] = { "provider", 0 },
};

bool config_error(struct config_state *s, int line, const char *format, ...)
{
	va_list args;
	size_t len;

	if (line > 0)
		snprintf(s->error, CONFIG_ERROR_SIZE, "%s:%d: ", s->config.file, line);
	else
		snprintf(s->error, CONFIG_ERROR_SIZE, "%s: ", s->config.file);
	len = strlen(s->error);
	va_start(args, format);
	vsnprintf(s->error + len, CONFIG_ERROR_SIZE - len, format, args);
	va_end(args);
	/* It is shown on a terminal. */
	for (char *c = s->error; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return false;
}

bool config_refuse(struct config_state *s, const struct config_block *b,
		   enum config_option_id id, const char *why)
{
	return config_error(s, config_line(b, id), "%s: %s", config_options[id].name,
			    why);
}

/* ---- libConfuse */

/*
 * Its error function is given no argument of ours. Two loads at once are ruled out anyway
 * by its lexer, which is one for the process.
 */
static struct config_state *parsing;

__attribute__((format(printf, 2, 0))) static void
note_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[CONFIG_ERROR_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	config_error(parsing, cfg->line, "%s", text);
}

static bool is_list(enum config_kind kind)
{
	return kind == CONFIG_LIST || kind == CONFIG_ALGORITHMS || kind == CONFIG_RULES;
}

/* Every option is a string, or a list of them, to libConfuse; what it means is our
 * affair. */
static cfg_opt_t *describe(struct arena *a, enum config_section section)
{
	cfg_opt_t *all =
		arena_alloc(a, (CONFIG_OPTIONS + CONFIG_SECTIONS + 1) * sizeof(*all));
	cfg_opt_t *next = all;

	for (int i = 0; i < CONFIG_OPTIONS; i++) {
		const struct config_option *o = &config_options[i];

		if (o->section != section)
			continue;
		*next++ = is_list(o->kind)
				  ? (cfg_opt_t)CFG_STR_LIST(o->name, 0, CFGF_NODEFAULT)
				  : (cfg_opt_t)CFG_STR(o->name, 0, CFGF_NODEFAULT);
	}
	for (int i = CONFIG_top + 1; section == CONFIG_top && i < CONFIG_SECTIONS; i++)
		*next++ = (cfg_opt_t)CFG_SEC(
			sections[i].name, describe(a, (enum config_section)i),
			i == CONFIG_provider
				? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES
				: CFGF_NONE);
	*next = (cfg_opt_t)CFG_END();
	return all;
}

static cfg_t *parse(struct config_state *s, const struct config_scan *scan)
{
	cfg_t *cfg = cfg_init(describe(s->arena, CONFIG_top), CFGF_NONE);
	int result;

	if (!cfg)
		abort();
	cfg_set_error_function(cfg, note_error);
	parsing = s;
	result = cfg_parse_buf(cfg, scan->text);
	parsing = NULL;
	if (result == CFG_SUCCESS)
		return cfg;
	if (!*s->error)
		config_error(s, cfg->line, "a syntax error");
	cfg_free(cfg);
	return NULL;
}

static struct config_list given(struct arena *a, cfg_opt_t *option)
{
	const size_t count = cfg_opt_size(option);
	struct config_list list = { arena_alloc(a, (count + 1) * sizeof(char *)), count };

	for (size_t i = 0; i < count; i++)
		list.items[i] = cfg_opt_getnstr(option, (unsigned)i);
	return list;
}

/* ---- from the file, the preset or the default to the structs */

/* The index of the NTH section of that name; -2 if it is not there. */
static int find_section(const struct config_scan *scan, enum config_section section,
			size_t nth)
{
	if (section == CONFIG_top)
		return -1;
	for (size_t i = 0; i < scan->section_count; i++)
		if (text_is(scan->sections[i].name, sections[section].name) && nth-- == 0)
			return (int)i;
	return -2;
}

/* 0 if the option is not in the section. */
static int find_line(const struct config_scan *scan, int section, const char *name)
{
	for (size_t i = 0; i < scan->item_count; i++)
		if (scan->items[i].section == section &&
		    text_is(scan->items[i].name, name))
			return scan->items[i].line;
	return 0;
}

static bool set_option(struct config_state *s, struct config_block *b, int id,
		       cfg_opt_t *option)
{
	const struct config_option *o = &config_options[id];
	const char *preset = config_preset_value(b, (enum config_option_id)id);
	const char *text = preset ? preset : o->value;
	struct config_list items;

	if (b->origin[id] > 0) {
		items = given(s->arena, option);
	} else if (is_list(o->kind)) {
		items = config_list_split(s->arena, text ? text : "");
	} else {
		if (!text)
			return true;
		items = config_list_split(s->arena, "");
		items.items[items.count++] = (char *)text;
	}
	if (!b->origin[id] && preset)
		b->origin[id] = CONFIG_FROM_PRESET;
	return config_value_set(s, b, (enum config_option_id)id, &items,
				config_line(b, id));
}

static bool fill_block(struct config_state *s, struct config_block *b, cfg_t *section,
		       const struct config_scan *scan, int index)
{
	b->line = index >= 0 ? scan->sections[index].line : 0;
	for (int id = 0; id < CONFIG_OPTIONS; id++) {
		const struct config_option *o = &config_options[id];
		cfg_opt_t *option;

		if (o->section != b->section)
			continue;
		option = cfg_getopt(section, o->name);
		b->origin[id] = find_line(scan, index, o->name);
		/* Should scanner and library ever disagree: no option is passed over. */
		if (!b->origin[id] && cfg_opt_size(option))
			return config_error(s, 0, "%s is set, but where?", o->name);
		if (!set_option(s, b, id, option))
			return false;
		if (id == OPTION_provider_preset && !config_preset_check(s, b))
			return false;
	}
	return true;
}

/* It becomes a part of file names in state_dir. */
static bool check_name(struct config_state *s, int line, const char *name)
{
	const size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (len < 1 || len > 32 || name[len] || name[0] == '.')
		return config_error(s, line,
				    "provider \"%s\": a name is 1 to 32 letters, digits, "
				    "\".\", \"_\" and \"-\", the first no \".\"",
				    name);
	return true;
}

static bool fill_provider(struct config_state *s, size_t nth, cfg_t *section,
			  const struct config_scan *scan)
{
	const int index = find_section(scan, CONFIG_provider, nth);
	struct config_provider *provider = &s->config.providers[nth];
	struct config_block *b = &s->blocks[CONFIG_provider + nth];

	*b = (struct config_block){ .section = CONFIG_provider, .base = provider };
	provider->name = config_copy(s->arena, cfg_title(section));
	return fill_block(s, b, section, scan, index) &&
	       check_name(s, b->line, provider->name);
}

static bool fill(struct config_state *s, cfg_t *cfg, const struct config_scan *scan)
{
	const size_t providers = cfg_size(cfg, "provider");

	s->block_count = CONFIG_provider + providers;
	s->blocks = arena_alloc(s->arena, s->block_count * sizeof(*s->blocks));
	s->config.provider_count = providers;
	s->config.providers =
		arena_alloc(s->arena, providers * sizeof(*s->config.providers));
	for (int i = CONFIG_top; i < CONFIG_provider; i++) {
		const enum config_section section = (enum config_section)i;

		s->blocks[i].section = section;
		s->blocks[i].base = (char *)&s->config + sections[i].offset;
		if (!fill_block(s, &s->blocks[i],
				section == CONFIG_top ? cfg
						      : cfg_getsec(cfg, sections[i].name),
				scan, find_section(scan, section, 0)))
			return false;
	}
	for (size_t i = 0; i < providers; i++)
		if (!fill_provider(s, i, cfg_getnsec(cfg, "provider", (unsigned)i), scan))
			return false;
	return true;
}

static bool load(struct config_state *s)
{
	struct config_scan scan;
	struct text file;
	bool filled;
	char *secret;
	cfg_t *cfg;

	if (!config_file_read(s, 0, s->config.file, false, &file) ||
	    !config_scan(s, file, &scan))
		return false;
	cfg = parse(s, &scan);
	if (!cfg)
		return false;
	filled = fill(s, cfg, &scan);
	secret = cfg_getstr(cfg_getsec(cfg, "database"), "password");
	if (secret)
		secret_wipe(secret, strlen(secret));
	cfg_free(cfg);
	return filled && config_check(s);
}

struct config *config_load(const char *file, char error[CONFIG_ERROR_SIZE])
{
	struct arena *a = arena_new();
	struct config_state *s = arena_alloc(a, sizeof(*s));

	s->arena = a;
	s->config.file = config_copy(a, file);
	s->error = error;
	error[0] = '\0';
	if (!load(s)) {
		arena_free(a);
		return NULL;
	}
	s->error = NULL;
	return &s->config;
}

void config_free(struct config *config)
{
	if (config)
		arena_free(((struct config_state *)config)->arena);
}

const char *config_default_file(void)
{
	const char *file = getenv("PINTLE_CONFIG");

	return file && *file ? file : PINTLE_CONFIG_FILE;
}

static struct text print_origin(struct arena *a, const struct config_state *s,
				const struct config_block *b, int id)
{
	if (b->origin[id] > 0)
		return arena_printf(a, "%s:%d", s->config.file, b->origin[id]);
	if (b->origin[id] == CONFIG_FROM_PRESET)
		return arena_printf(a, "preset %s",
				    ((struct config_provider *)b->base)->preset);
	return AS_TEXT("default");
}

static struct text print_name(struct arena *a, const struct config_block *b, int id)
{
	const char *name = config_options[id].name;

	if (b->section == CONFIG_top)
		return text_of(name);
	if (b->section == CONFIG_provider)
		return arena_printf(a, "provider.%s.%s",
				    ((struct config_provider *)b->base)->name, name);
	return arena_printf(a, "%s.%s", sections[b->section].name, name);
}

bool config_each(const struct config *config,
		 bool (*each)(void *context, const char *option, const char *value,
			      const char *origin),
		 void *context)
{
	const struct config_state *s = (const struct config_state *)config;
	struct arena *a = arena_new();
	bool more = true;

	for (size_t i = 0; more && i < s->block_count; i++) {
		const struct config_block *b = &s->blocks[i];

		for (int id = 0; more && id < CONFIG_OPTIONS; id++) {
			if (config_options[id].section != b->section)
				continue;
			more = each(context, print_name(a, b, id).data,
				    config_value_print(a, b, (enum config_option_id)id),
				    print_origin(a, s, b, id).data);
			arena_reset(a);
		}
	}
	arena_free(a);
	return more;
}
