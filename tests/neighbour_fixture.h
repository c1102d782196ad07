/* For the tests of presets: what looks most like a provider's token, and what becomes of it. */
#ifndef PINTLE_NEIGHBOUR_FIXTURE_H
#define PINTLE_NEIGHBOUR_FIXTURE_H

#include "preset_profiles.h"

#define NONE                                                                             \
	{                                                                                \
		NULL, NULL                                                               \
	}

/* A token of the profile with these changes, and what a login with it comes to. */
struct neighbour {
	const char *what;
	struct member changes[6];
	enum problem_kind kind;
};

static inline void expect_all(const char *preset, const struct neighbour *all,
			      size_t count)
{
	const struct profile *p = profile_of(preset);

	for (size_t i = 0; i < count; i++)
		expect_kind(all[i].what, token_of(p, all[i].changes), all[i].kind);
}

#define EXPECT(preset, list) expect_all(preset, list, COUNT(list))

static inline void open_preset(const char *preset)
{
	open_profile(profile_of(preset));
}

/* The profile's block with some of it said otherwise. */
static inline void open_changed(const char *preset, const char *block)
{
	open_providers(arena_printf(arena,
				    SITE "provider \"p\" { preset = %s %s " PINNED " }\n",
				    preset, block)
			       .data);
}

#endif
