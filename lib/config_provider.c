#include "config_private.h"

#include "buffer.h"

/* A row of presets.def: for each option what it is set to, or NULL. */
struct preset {
	const char *name;
	const char *values[CONFIG_OPTIONS];
	const char *your_audience, *your_issuer; /* what the block must say itself */
};

static const struct preset presets[] = {
#define PRESET(preset, audience_, issuer_, audience_claim_, jwks_url_, discovery_,       \
	       algorithms_, require_, email_claim_, phone_claim_, verified_, match_,     \
	       your_audience_, your_issuer_)                                             \
	{ #preset,                                                                       \
	  { [OPTION_provider_audience] = audience_,                                      \
	    [OPTION_provider_issuer] = issuer_,                                          \
	    [OPTION_provider_audience_claim] = audience_claim_,                          \
	    [OPTION_provider_jwks_url] = jwks_url_,                                      \
	    [OPTION_provider_discovery] = discovery_,                                    \
	    [OPTION_provider_algorithms] = algorithms_,                                  \
	    [OPTION_provider_require] = require_,                                        \
	    [OPTION_provider_email_claim] = email_claim_,                                \
	    [OPTION_provider_phone_claim] = phone_claim_,                                \
	    [OPTION_provider_verified] = verified_,                                      \
	    [OPTION_provider_match] = match_ },                                          \
	  your_audience_,                                                                \
	  your_issuer_ },
#include "presets.def"
#undef PRESET
};

static const struct preset *find_preset(const char *name)
{
	for (size_t i = 0; name && i < sizeof(presets) / sizeof(*presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

bool config_preset_check(struct config_state *s, const struct config_block *b)
{
	const struct config_provider *provider = b->base;
	struct buffer known = buffer_new(s->arena, 256);

	if (!provider->preset || find_preset(provider->preset))
		return true;
	for (size_t i = 0; i < sizeof(presets) / sizeof(*presets); i++)
		buffer_printf(&known, " %s", presets[i].name);
	return config_error(s, config_line(b, OPTION_provider_preset),
			    "preset: \"%s\" is unknown; there are%.*s", provider->preset,
			    TEXT_ARG(buffer_text(&known)));
}

const char *config_preset_value(const struct config_block *b, enum config_option_id id)
{
	const struct preset *preset =
		b->section == CONFIG_provider
			? find_preset(((struct config_provider *)b->base)->preset)
			: NULL;

	return preset ? preset->values[id] : NULL;
}

static const enum config_option_id key_sources[] = {
	OPTION_provider_jwks_url,
	OPTION_provider_jwks_file,
	OPTION_provider_discovery,
};

static bool has_source(const struct config_provider *provider, enum config_option_id id)
{
	return id == OPTION_provider_jwks_url	 ? provider->jwks_url != NULL
	       : id == OPTION_provider_jwks_file ? provider->jwks_file != NULL
						 : provider->discovery;
}

/* One source of keys: that of the file, if it names one, else the preset's. */
static bool choose_keys(struct config_state *s, struct config_block *b)
{
	const size_t count = sizeof(key_sources) / sizeof(*key_sources);
	const struct config_provider *provider = b->base;
	bool any = false, named = false;

	for (size_t i = 0; i < count; i++) {
		if (!has_source(provider, key_sources[i]))
			continue;
		if (named && b->origin[key_sources[i]] > 0)
			return config_refuse(
				s, b, key_sources[i],
				"the keys' source is set a second time: keep one of "
				"jwks_url, jwks_file and discovery");
		any = true;
		named = named || b->origin[key_sources[i]] > 0;
	}
	if (!any)
		return config_error(s, b->line,
				    "provider \"%s\": where are its keys? Set "
				    "jwks_url, jwks_file or discovery",
				    provider->name);
	for (size_t i = 0; named && i < count; i++) {
		if (b->origin[key_sources[i]] > 0)
			continue;
		config_value_clear(b, key_sources[i]);
		b->origin[key_sources[i]] = CONFIG_FROM_DEFAULT;
	}
	return true;
}

static struct text template_value(struct text *rest, const char *audience,
				  const char *issuer)
{
	const struct {
		const char *name, *value;
	} known[] = { { "{audience}", audience }, { "{issuer}", issuer } };
	struct text value = { rest->data, 1 };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (text_starts(*rest, known[i].name)) {
			value = (struct text){ known[i].value,
					       known[i].value ? strlen(known[i].value)
							      : 0 };
			rest->data += strlen(known[i].name);
			rest->len -= strlen(known[i].name);
			return value;
		}
	rest->data++;
	rest->len--;
	return value;
}

char *config_expand(struct arena *a, const char *pattern, const char *audience,
		    const char *issuer)
{
	struct buffer b = buffer_new(a, strlen(pattern) + 128);
	struct text rest = text_of(pattern);

	while (rest.len) {
		struct text value = template_value(&rest, audience, issuer);

		if (!value.data)
			return NULL;
		buffer_add(&b, value);
	}
	return (char *)arena_copy(a, buffer_text(&b)).data;
}

static const char *only(const struct config_list *list)
{
	return list->count == 1 ? list->items[0] : NULL;
}

/*
 * The keys are to be where the issuer is: a slash too few at its end would make another
 * host of it.
 */
static bool check_made(struct config_state *s, const struct config_block *b,
		       const char *issuer)
{
	const struct config_provider *provider = b->base;
	const struct preset *preset = find_preset(provider->preset);
	const char *yours = preset ? preset->your_issuer : NULL;
	struct config_url at, keys;
	const char *why;

	if (!config_url_parse(s->arena, issuer, &at, &why))
		return config_error(
			s, config_line(b, OPTION_provider_issuer),
			"issuer: \"%s\" has %s, so preset %s cannot tell where the "
			"keys are: set jwks_url",
			issuer, why, provider->preset);
	if (config_url_parse(s->arena, provider->jwks_url, &keys, &why) &&
	    strcmp(config_url_origin(s->arena, &at),
		   config_url_origin(s->arena, &keys)) == 0 &&
	    !strstr(keys.path, "//"))
		return true;
	return config_error(
		s, config_line(b, OPTION_provider_issuer),
		"issuer: \"%s\" puts the keys at \"%s\": is there a slash too few "
		"or too many at its end? Preset %s takes %s",
		issuer, provider->jwks_url, provider->preset, yours ? yours : "another");
}

static bool expand(struct config_state *s, struct config_block *b)
{
	struct config_provider *provider = b->base;
	const char *audience = only(&provider->audience);
	bool made_of_issuer;

	for (size_t i = 0; i < provider->issuers.count; i++) {
		char **issuer = &provider->issuers.items[i];

		if (b->origin[OPTION_provider_issuer] == CONFIG_FROM_PRESET)
			*issuer = config_expand(s->arena, *issuer, audience, NULL);
		if (!*issuer)
			return config_error(
				s, b->line,
				"provider \"%s\": preset %s makes the "
				"issuer from one audience: set audience to one "
				"entry, or set issuer",
				provider->name, provider->preset);
	}
	if (b->origin[OPTION_provider_jwks_url] != CONFIG_FROM_PRESET)
		return true;
	made_of_issuer = text_starts(text_of(provider->jwks_url), "{issuer}");
	provider->jwks_url = config_expand(s->arena, provider->jwks_url, audience,
					   only(&provider->issuers));
	if (!provider->jwks_url)
		return config_error(
			s, b->line,
			"provider \"%s\": preset %s makes jwks_url from one "
			"audience or issuer: set one of each, or set jwks_url",
			provider->name, provider->preset);
	return !made_of_issuer || check_made(s, b, only(&provider->issuers));
}

/* Over plain HTTP anybody on the way could put in keys of their own. */
static bool check_fetched(struct config_state *s, const struct config_block *b,
			  enum config_option_id id, const char *text)
{
	const char *name = config_options[id].name;
	const int line = config_line(b, id);
	struct config_url url;
	const char *why;

	if (!config_url_parse(s->arena, text, &url, &why))
		return config_error(s, line, "%s: \"%s\" has %s", name, text, why);
	if (strcmp(url.scheme, "https") != 0 &&
	    !(strcmp(url.scheme, "http") == 0 && config_url_is_loopback(&url)))
		return config_error(s, line,
				    "%s: \"%s\" is not https://, and keys are fetched "
				    "over http:// from this machine only",
				    name, text);
	if (url.has_fragment || (url.has_query && id == OPTION_provider_issuer))
		return config_error(s, line, "%s: \"%s\" has a query or a fragment", name,
				    text);
	return true;
}

static bool check_issuers(struct config_state *s, const struct config_block *b)
{
	const struct config_provider *provider = b->base;

	for (const struct config_provider *other = s->config.providers; other < provider;
	     other++)
		for (size_t i = 0; i < other->issuers.count; i++)
			for (size_t k = 0; k < provider->issuers.count; k++)
				if (strcmp(other->issuers.items[i],
					   provider->issuers.items[k]) == 0)
					return config_error(
						s, config_line(b, OPTION_provider_issuer),
						"issuer: \"%s\" is that of provider "
						"\"%s\" already, "
						"and tokens are told apart by it alone",
						other->issuers.items[i], other->name);
	return true;
}

static bool refuse_unset(struct config_state *s, const struct config_block *b,
			 enum config_option_id id, const char *why, const char *yours)
{
	const struct config_provider *provider = b->base;

	if (!yours)
		return config_refuse(s, b, id, why);
	return config_refuse(s, b, id,
			     config_printf(s->arena, "%s; with preset %s it is %s", why,
					   provider->preset, yours));
}

bool config_provider_check(struct config_state *s, struct config_block *b)
{
	const struct config_provider *provider = b->base;
	const struct preset *preset = find_preset(provider->preset);

	if (!provider->audience.count)
		return refuse_unset(
			s, b, OPTION_provider_audience,
			"is not set: tokens made for another site would be accepted",
			preset ? preset->your_audience : NULL);
	if (!provider->issuers.count)
		return refuse_unset(s, b, OPTION_provider_issuer, "is not set",
				    preset ? preset->your_issuer : NULL);
	if (strcmp(provider->audience_claim, "iss") == 0 &&
	    (!preset || preset->values[OPTION_provider_audience_claim] == NULL ||
	     strcmp(preset->values[OPTION_provider_audience_claim], "iss") != 0))
		return config_refuse(
			s, b, OPTION_provider_audience_claim,
			"\"iss\" is for presets whose issuer has no tokens but "
			"yours: everybody's would be accepted");
	if (!provider->algorithms)
		return config_refuse(s, b, OPTION_provider_algorithms, "is empty");
	if (provider->match == CONFIG_MATCH_EMAIL && !provider->email_claim &&
	    !provider->phone_claim)
		return config_refuse(s, b, OPTION_provider_email_claim,
				     "is needed with match = \"email\"");
	if (!choose_keys(s, b) || !expand(s, b) || !check_issuers(s, b))
		return false;
	if (provider->jwks_url)
		return check_fetched(s, b, OPTION_provider_jwks_url, provider->jwks_url);
	return !provider->discovery ||
	       check_fetched(s, b, OPTION_provider_issuer, provider->issuers.items[0]);
}
