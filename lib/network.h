/* Is an address in a network? Pure. */
#ifndef PINTLE_NETWORK_H
#define PINTLE_NETWORK_H

#include "text.h"

/*
 * NETWORK is "192.0.2.7", "192.0.2.0/24", "2001:db8::/32" or the like. An IPv4 address that is
 * written as IPv6 (::ffff:192.0.2.7) counts as what it is, on either side. False also for
 * what is no address or no network.
 */
bool network_holds(struct text network, struct text address);

#endif
