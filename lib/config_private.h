/*
 * What the files behind config.h share: the table of options, the state of one load, and
 * the steps of it. For config*.c and their tests only.
 *
 *   config.c           libConfuse: every option from the file, the preset or its default
 *   config_file.c      who else may read and write a file
 *   config_scan.c      the file's text before libConfuse reads it: what stands where
 *   config_value.c     one option: text -> field, field -> text
 *   config_shape.c     what a text must look like
 *   config_url.c       URLs taken apart
 *   config_provider.c  presets, and what a provider block must say as a whole
 *   config_check.c     the same of all others; what is derived
 */
#ifndef PINTLE_CONFIG_PRIVATE_H
#define PINTLE_CONFIG_PRIVATE_H

#include "arena.h"
#include "config.h"

#ifndef PINTLE_STATE_DIR
#define PINTLE_STATE_DIR "/var/lib/pintle"
#endif
#ifndef PINTLE_CONFIG_FILE
#define PINTLE_CONFIG_FILE "/etc/pintle/pintle.conf"
#endif

/* provider is last: its blocks are any number, the others are one each. */
enum config_section {
	CONFIG_top,
	CONFIG_database,
	CONFIG_accounts,
	CONFIG_session,
	CONFIG_log,
	CONFIG_provider,
	CONFIG_SECTIONS
};

enum config_kind {
	CONFIG_TEXT,
	CONFIG_NAME,
	CONFIG_LIST,
	CONFIG_NUMBER,
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_YESNO,
	CONFIG_CHOICE,
	CONFIG_ALGORITHMS,
	CONFIG_RULES,
	CONFIG_VERIFIED
};

/* A row of options.def; OFFSET and SIZE are of the field in its section's struct. */
struct config_option {
	enum config_section section;
	enum config_kind kind;
	const char *name;
	size_t offset, size;
	const char *value; /* the default, or NULL */
	const char *limits, *help;
};

enum config_option_id {
#define OPTION(section, name, kind, field, value, limits, help) OPTION_##section##_##name,
#include "options.def"
#undef OPTION
	CONFIG_OPTIONS
};
extern const struct config_option config_options[CONFIG_OPTIONS];

/* Where an option's value came from; anything above is a line of the file. */
enum { CONFIG_FROM_DEFAULT = 0, CONFIG_FROM_PRESET = -1 };

/* One section as it is in the file, or would be. */
struct config_block {
	enum config_section section;
	int line;   /* where it begins; 0: at the top of the file, or nowhere */
	void *base; /* the struct that its options' offsets are of */
	int origin[CONFIG_OPTIONS];
};

/* The whole of a loaded configuration; all of it, itself included, is in the arena. */
struct config_state {
	struct config config; /* first: config_free and config_each are given this */
	struct arena *arena;
	struct config_block *blocks; /* one for each section, then a provider's each */
	size_t block_count;
	char *error; /* CONFIG_ERROR_SIZE bytes, of the caller; NULL once loaded */
};

/* A C string in the arena. */
#define config_printf(...) ((char *)arena_printf(__VA_ARGS__).data)

static inline char *config_copy(struct arena *a, const char *s)
{
	return (char *)arena_copy(a, text_of(s)).data;
}

/* "FILE:LINE: text", without the line when it is 0. Returns false. */
bool config_error(struct config_state *s, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, of an option and with its line. */
bool config_refuse(struct config_state *s, const struct config_block *b,
		   enum config_option_id id, const char *why);

/* The line to name in an error about an option: its own, else where its block begins. */
static inline int config_line(const struct config_block *b, enum config_option_id id)
{
	return b->origin[id] > 0 ? b->origin[id] : b->line;
}

/*
 * Reads a file whole. Refused: no regular file, longer than 256 KiB, writable by group or
 * others, and, when SECRET, readable by others. LINE is where the file is named, 0 for
 * the configuration file itself, PATH where it is.
 */
bool config_file_read(struct config_state *s, int line, const char *path, bool secret,
		      struct text *out) __attribute__((warn_unused_result));

/* The same checks of a file that somebody else will read. */
bool config_file_check(struct config_state *s, int line, const char *path, bool secret)
	__attribute__((warn_unused_result));

/* What config_scan finds: "name =" in a section, -1 for the top, and "name {". */
struct config_scan_item {
	int section;
	struct text name;
	int line;
};

struct config_scan {
	char *text; /* what libConfuse is to read */
	struct config_scan_item *items, *sections;
	size_t item_count, section_count;
};

/*
 * Goes through the file's text before libConfuse 3.3 does. Refused, because the library
 * takes it: an option or section a second time, a missing "}", "+=", NUL, a quoted option
 * name. Taken out, because the library counts a line of comment as three: comments. Made
 * literal, because it would be replaced from the environment: "${NAME}".
 */
bool config_scan(struct config_state *s, struct text file, struct config_scan *out)
	__attribute__((warn_unused_result));

/*
 * Sets option ID of block B from the texts of ITEMS (one, unless it is a list), as
 * written on LINE. False, with an error, when they are no value for it.
 */
bool config_value_set(struct config_state *s, const struct config_block *b,
		      enum config_option_id id, const struct config_list *items, int line)
	__attribute__((warn_unused_result));

/* Sets option ID of block B to its zero: "", 0, no, an empty list. */
void config_value_clear(const struct config_block *b, enum config_option_id id);

/* The value of option ID as text for a person, a secret masked; "" for nothing. */
const char *config_value_print(struct arena *a, const struct config_block *b,
			       enum config_option_id id);

/* The items of TEXT, separated by blanks: how lists are written in the .def files. */
struct config_list config_list_split(struct arena *a, const char *text);

/*
 * NULL, or why ITEM is refused where options.def names SHAPE ("path", "origin" and so
 * on). ITEM is not empty, and may be lower-cased.
 */
const char *config_shape_check(struct arena *a, const char *shape, char *item);

/* What the preset of a provider block sets option ID to, as in options.def, or NULL. */
const char *config_preset_value(const struct config_block *b, enum config_option_id id);

/* Is the block's preset, if it has one, known? */
bool config_preset_check(struct config_state *s, const struct config_block *b)
	__attribute__((warn_unused_result));

/*
 * PATTERN with {audience} and {issuer} replaced; NULL when one that occurs has no value.
 */
char *config_expand(struct arena *a, const char *pattern, const char *audience,
		    const char *issuer);

/* After all options of all blocks are set: checks and derives. */
bool config_check(struct config_state *s) __attribute__((warn_unused_result));
bool config_provider_check(struct config_state *s, struct config_block *b)
	__attribute__((warn_unused_result));

/* An absolute URL. Scheme and host are lower-cased, a port that is the default is 0. */
struct config_url {
	const char *scheme, *host,
		*path; /* the path with query and fragment; may be "" */
	int port;
	bool has_query, has_fragment;
};

/* False, and *WHY gets a phrase, if TEXT is none or has blanks, user name or bad host. */
bool config_url_parse(struct arena *a, const char *text, struct config_url *out,
		      const char **why) __attribute__((warn_unused_result));

/* scheme://host[:port], as a browser writes it (RFC 6454, 6.2). */
const char *config_url_origin(struct arena *a, const struct config_url *url);

/* Is the host localhost, 127.0.0.0/8 or [::1]? */
bool config_url_is_loopback(const struct config_url *url);

/* Lower-cases; false unless HOST is LDH labels of 1 to 63 bytes, at most 253 in all. */
bool config_host_is_valid(char *host) __attribute__((warn_unused_result));

#endif
