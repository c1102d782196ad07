-- The default schema. Works unchanged on MySQL 8.0 to 9 and MariaDB 10.6 to 11, alone or
-- as Galera or Group Replication. Whatever says who somebody is is VARBINARY: no collation
-- may decide that two of them are equal. Times are UTC.

-- With our own users table alone.
CREATE TABLE IF NOT EXISTS users (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  email VARBINARY(254) NULL,
  phone VARBINARY(16) NULL,
  status ENUM('active', 'disabled') NOT NULL DEFAULT 'active',
  created_at DATETIME NOT NULL,
  last_login_at DATETIME NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_email (email),
  UNIQUE KEY users_phone (phone)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS identities (
  user_id BIGINT UNSIGNED NOT NULL,
  provider VARBINARY(32) NOT NULL,
  subject VARBINARY(255) NOT NULL,
  email_at_link VARBINARY(254) NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (provider, subject),
  KEY identities_user (user_id, provider)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id BIGINT UNSIGNED NOT NULL,
  token_hash BINARY(32) NOT NULL,
  provider VARBINARY(32) NOT NULL,
  created_at DATETIME NOT NULL,
  last_seen_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_agent VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  generation BIGINT UNSIGNED NOT NULL DEFAULT 0,
  rotated_at DATETIME NULL,
  PRIMARY KEY (id),
  UNIQUE KEY sessions_token (token_hash),
  KEY sessions_user (user_id, created_at),
  KEY sessions_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS invites (
  email VARBINARY(254) NOT NULL,
  created_at DATETIME NOT NULL,
  used_at DATETIME NULL,
  PRIMARY KEY (email)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS used_tokens (
  token_hash BINARY(32) NOT NULL,
  used_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  PRIMARY KEY (token_hash),
  KEY used_tokens_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- With our own users table alone.
SET @pintle_ddl = IF((SELECT COUNT(*) FROM information_schema.TABLE_CONSTRAINTS
  WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = 'identities'
  AND CONSTRAINT_NAME = 'identities_of_user') = 0,
  'ALTER TABLE identities ADD CONSTRAINT identities_of_user
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE',
  'DO 0');
PREPARE pintle_ddl FROM @pintle_ddl;
EXECUTE pintle_ddl;
DEALLOCATE PREPARE pintle_ddl;

-- With our own users table alone.
SET @pintle_ddl = IF((SELECT COUNT(*) FROM information_schema.TABLE_CONSTRAINTS
  WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = 'sessions'
  AND CONSTRAINT_NAME = 'sessions_of_user') = 0,
  'ALTER TABLE sessions ADD CONSTRAINT sessions_of_user
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE',
  'DO 0');
PREPARE pintle_ddl FROM @pintle_ddl;
EXECUTE pintle_ddl;
DEALLOCATE PREPARE pintle_ddl;
