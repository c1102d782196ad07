#include "return_to.h"

/* A header of more is too much for the buffers of some web servers: they answer 502. */
#define LENGTH_MAX 2000

struct text return_to_safe(struct text uri)
{
	if (!uri.len || uri.len > LENGTH_MAX || uri.data[0] != '/' ||
	    (uri.len > 1 && uri.data[1] == '/'))
		return AS_TEXT("/");
	for (size_t i = 0; i < uri.len; i++)
		/* Browsers take a backslash for a slash, and drop some controls. */
		if (uri.data[i] <= ' ' || uri.data[i] > '~' || uri.data[i] == '\\')
			return AS_TEXT("/");
	return uri;
}

void return_to_add_escaped(struct buffer *b, struct text value)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~/";

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] && strchr(safe, value.data[i]))
			buffer_add_char(b, value.data[i]);
		else
			buffer_printf(b, "%%%02X", (unsigned char)value.data[i]);
	}
}
