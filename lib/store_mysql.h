/* What the files behind store.h share. */
#ifndef PINTLE_STORE_MYSQL_H
#define PINTLE_STORE_MYSQL_H

#include "db.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct store {
	struct db *db;
};

#endif
