-- suits: 0001
-- What gateways that share this database agree on.

CREATE TABLE agreements (
  name text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);

-- When a job that one gateway does for all was last begun.
CREATE TABLE jobs (
  name text COLLATE "C" PRIMARY KEY,
  begun_at timestamptz NOT NULL
);
