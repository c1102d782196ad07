#include "config_private.h"

#include <arpa/inet.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s + 'a' - 'A');
}

bool config_host_is_valid(char *host)
{
	size_t label = 0, len = strlen(host);

	for (size_t i = 0; i < len; i++) {
		const bool edge = label == 0 || i + 1 == len || host[i + 1] == '.';

		if (host[i] == '.' && label) {
			label = 0;
			continue;
		}
		if (!is_letter(host[i]) && !is_digit(host[i]) && (host[i] != '-' || edge))
			return false;
		if (++label > 63)
			return false;
	}
	lower(host);
	return label && len <= 253;
}

/* A last label of digits makes it an IPv4 address to every browser (WHATWG URL, 3.5). */
static bool is_bad_ipv4(const char *host)
{
	const char *last = strrchr(host, '.');
	struct in_addr address;

	last = last ? last + 1 : host;
	return last[strspn(last, "0123456789")] == '\0' &&
	       inet_pton(AF_INET, host, &address) != 1;
}

static const char *take_scheme(struct arena *a, struct text *rest, struct config_url *out)
{
	const char *end = memmem(rest->data, rest->len, "://", 3);
	const size_t len = end ? (size_t)(end - rest->data) : 0;
	char *scheme;

	if (!len || !is_letter(rest->data[0]))
		return "no scheme such as https://";
	for (size_t i = 0; i < len; i++)
		if (!is_letter(rest->data[i]) && !is_digit(rest->data[i]) &&
		    !strchr("+-.", rest->data[i]))
			return "no scheme such as https://";
	scheme = (char *)arena_copy(a, (struct text){ rest->data, len }).data;
	lower(scheme);
	out->scheme = scheme;
	*rest = (struct text){ end + 3, rest->len - len - 3 };
	return NULL;
}

static const char *read_port(struct text port, struct config_url *out)
{
	int64_t number;

	if (!text_to_number(port, &number) || number < 1 || number > 65535)
		return "a port that is not in 1..65535";
	if (!(number == 443 && strcmp(out->scheme, "https") == 0) &&
	    !(number == 80 && strcmp(out->scheme, "http") == 0))
		out->port = (int)number;
	return NULL;
}

/* "[…]" is IPv6; anything else ends at a colon. */
static const char *read_authority(struct arena *a, struct text authority,
				  struct config_url *out)
{
	const char *bracket = authority.len && authority.data[0] == '['
				      ? memchr(authority.data, ']', authority.len)
				      : NULL;
	char printed[INET6_ADDRSTRLEN];
	struct in6_addr address;
	struct text rest;
	char *host;

	if (memchr(authority.data, '@', authority.len))
		return "a user name, which does not belong there";
	if (bracket) {
		const size_t len = (size_t)(bracket - authority.data) + 1;

		host = (char *)arena_copy(a, (struct text){ authority.data + 1, len - 2 })
			       .data;
		if (inet_pton(AF_INET6, host, &address) != 1)
			return "a bad host";
		inet_ntop(AF_INET6, &address, printed, sizeof(printed));
		host = config_printf(a, "[%s]", printed);
		rest = (struct text){ bracket + 1, authority.len - len };
	} else {
		struct text name = text_before(authority, ':', &rest);

		host = (char *)arena_copy(a, name).data;
		if (!config_host_is_valid(host) || is_bad_ipv4(host))
			return "a bad host";
		rest = (struct text){ authority.data + name.len,
				      authority.len - name.len };
	}
	out->host = host;
	if (!rest.len)
		return NULL;
	if (rest.data[0] != ':')
		return "a bad host";
	return read_port((struct text){ rest.data + 1, rest.len - 1 }, out);
}

bool config_url_parse(struct arena *a, const char *text, struct config_url *out,
		      const char **why)
{
	struct config_url url = { .port = 0 };
	struct text rest = text_of(text);
	size_t len;

	*why = NULL;
	for (const char *c = text; *c && !*why; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}", *c))
			*why = "a character that no URL may have";
	if (!*why)
		*why = take_scheme(a, &rest, &url);
	if (*why)
		return false;
	len = strcspn(rest.data, "/?#");
	*why = read_authority(a, (struct text){ rest.data, len }, &url);
	if (*why)
		return false;
	url.path = arena_copy(a, (struct text){ rest.data + len, rest.len - len }).data;
	url.has_fragment = strchr(url.path, '#') != NULL;
	url.has_query = strcspn(url.path, "?") < strcspn(url.path, "#");
	*out = url;
	return true;
}

const char *config_url_origin(struct arena *a, const struct config_url *url)
{
	if (!url->port)
		return config_printf(a, "%s://%s", url->scheme, url->host);
	return config_printf(a, "%s://%s:%d", url->scheme, url->host, url->port);
}

bool config_url_is_loopback(const struct config_url *url)
{
	struct in_addr address;

	if (inet_pton(AF_INET, url->host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == 127;
	return strcmp(url->host, "localhost") == 0 || strcmp(url->host, "[::1]") == 0;
}
