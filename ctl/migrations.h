/* scripts/sql/, built in. migrations.c is made from those files by the Makefile. */
#ifndef PINTLE_MIGRATIONS_H
#define PINTLE_MIGRATIONS_H

#include "store.h"

extern const struct store_migration migrations[];
extern const size_t migration_count;

#endif
