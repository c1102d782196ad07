#include "network.h"

#include <arpa/inet.h>

#define TEXT_MAX 64
#define MAPPED_BITS 96

/* The address as 128 bits, IPv4 in its IPv6 form (RFC 4291, 2.5.5.2); 0, or where it begins. */
static bool read_address(struct text written, unsigned char out[16], int64_t *first_bit)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char copy[TEXT_MAX];

	if (!written.len || written.len >= sizeof(copy) ||
	    memchr(written.data, '\0', written.len))
		return false;
	memcpy(copy, written.data, written.len);
	copy[written.len] = '\0';
	*first_bit = 0;
	if (inet_pton(AF_INET6, copy, out) == 1)
		return true;
	memcpy(out, mapped, sizeof(mapped));
	*first_bit = MAPPED_BITS;
	return inet_pton(AF_INET, copy, out + sizeof(mapped)) == 1;
}

static bool same_bits(const unsigned char a[16], const unsigned char b[16], int64_t bits)
{
	const size_t whole = (size_t)bits / 8;
	const unsigned rest = (unsigned)bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool network_holds(struct text network, struct text address)
{
	struct text prefix;
	const struct text written = text_before(network, '/', &prefix);
	unsigned char net[16], host[16];
	int64_t first_bit, ignored, bits = 0;

	if (!read_address(written, net, &first_bit) ||
	    !read_address(address, host, &ignored))
		return false;
	if (written.len == network.len)
		return same_bits(net, host, 128);
	return text_to_number(prefix, &bits) && first_bit + bits <= 128 &&
	       same_bits(net, host, first_bit + bits);
}
