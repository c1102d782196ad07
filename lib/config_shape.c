#include "config_private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sys/un.h>

/* Each returns NULL, or why ITEM, which is not empty, is refused; may lower-case it. */

static const char *any_text(struct arena *a, char *item)
{
	(void)a;
	(void)item;
	return NULL;
}

static const char *word(struct arena *a, char *item)
{
	(void)a;
	return strchr(item, ' ') ? "has a blank in it" : NULL;
}

static const char *path(struct arena *a, char *item)
{
	(void)a;
	return item[0] == '/' ? NULL : "is no absolute path";
}

static const char *socket_path(struct arena *a, char *item)
{
	if (strlen(item) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "is too long for a Unix socket";
	return path(a, item);
}

static const char *host(struct arena *a, char *item)
{
	(void)a;
	for (const char *c = item; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-._:%[]", *c))
			return "is no host name or address";
	return NULL;
}

static const char *domain(struct arena *a, char *item)
{
	(void)a;
	if (!config_host_is_valid(item) || !strchr(item, '.'))
		return "is no domain such as example.com";
	return NULL;
}

static const char *pointer(struct arena *a, char *item)
{
	(void)a;
	return json_pointer_is_valid(item) ? NULL
					   : "is no JSON Pointer such as /user/email";
}

static const char *claim(struct arena *a, char *item)
{
	return item[0] == '/' ? pointer(a, item) : NULL;
}

static const char *network(struct arena *a, char *item)
{
	struct text prefix, address = text_before(text_of(item), '/', &prefix);
	const char *written = arena_copy(a, address).data;
	unsigned char bytes[sizeof(struct in6_addr)];
	int64_t bits, most = inet_pton(AF_INET, written, bytes) == 1	? 32
			     : inet_pton(AF_INET6, written, bytes) == 1 ? 128
									: -1;

	if (most < 0 ||
	    (strchr(item, '/') && (!text_to_number(prefix, &bits) || bits > most)))
		return "is no address or network such as 192.0.2.0/24";
	return NULL;
}

static const char *origin(struct arena *a, char *item)
{
	struct config_url url;
	const char *why, *written;

	if (strcmp(item, "null") == 0)
		return "is what sandboxed pages and local files of anybody send";
	if (strcmp(item, "*") == 0)
		return "is refused: name each origin";
	if (!config_url_parse(a, item, &url, &why))
		return config_printf(a, "has %s", why);
	written = config_url_origin(a, &url);
	if (*url.path)
		return config_printf(a, "has a path: write \"%s\"", written);
	if (strcmp(item, written) != 0)
		return config_printf(a, "is not as browsers write it: \"%s\"", written);
	return NULL;
}

/* RFC 6265, 4.1.1: a token of RFC 2616. */
static const char *cookie(struct arena *a, char *item)
{
	(void)a;
	for (const char *c = item; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("()<>@,;:\\\"/[]?={}", *c))
			return "has a character that no cookie name may have";
	return NULL;
}

static const struct {
	const char *name;
	const char *(*why)(struct arena *a, char *item);
} shapes[] = {
	{ "text", any_text }, { "secret", any_text }, { "sql", any_text },
	{ "word", word },     { "path", path },	      { "socket", socket_path },
	{ "host", host },     { "domain", domain },   { "pointer", pointer },
	{ "claim", claim },   { "network", network }, { "origin", origin },
	{ "cookie", cookie },
};

const char *config_shape_check(struct arena *a, const char *shape, char *item)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (strcmp(shapes[i].name, shape) == 0)
			return shapes[i].why(a, item);
	return "has a shape that nobody can check";
}
