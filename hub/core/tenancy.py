"""Migration operations that put a table behind the wall between schools.

`wall("people_pupil")` forces row-level security on a table with a `school_id`, and
`tenant_key("people_pupilcontact", "pupil_id", "people_pupil")` makes a reference impossible
across schools by a composite foreign key `(school_id, pupil_id)`.
"""

from __future__ import annotations

from django.db import migrations

CREATE_ROLES = """
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['schoolgate_app', 'schoolgate_system'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    BEGIN
      EXECUTE format('GRANT %I TO CURRENT_USER', name);
    EXCEPTION WHEN unique_violation THEN NULL;
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %I', name);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', name);
    EXECUTE format(
      'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', name);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %I', name);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), name);
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION hub_schools() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT string_to_array(coalesce(nullif(current_setting('hub.schools', true), ''), '0'), ',')::bigint[] $$;
"""


def create_roles() -> migrations.RunSQL:
    """Create the two roles that own nothing, and the function that names the schools in scope."""
    return migrations.RunSQL(CREATE_ROLES, "DROP FUNCTION IF EXISTS hub_schools()")


def wall(table: str, *, column: str = "school_id") -> migrations.RunSQL:
    """Show a row of `table` only where its school is in scope, to its owner too."""
    seen = f"{column} = ANY ((SELECT hub_schools())::bigint[])"
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY in_scope ON {table} TO schoolgate_app USING ({seen}) WITH CHECK ({seen});
        CREATE POLICY system ON {table} TO schoolgate_system USING (true) WITH CHECK (true);
        """,
        f"""
        DROP POLICY in_scope ON {table};
        DROP POLICY system ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
        """,
    )


def tenant_key(table: str, column: str, target: str) -> migrations.RunSQL:
    """Refer to a row of the same school only; `target` needs a unique `(school_id, id)`."""
    name = f"{table}_{column}_same_school"
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (school_id, {column})
        REFERENCES {target} (school_id, id) DEFERRABLE INITIALLY DEFERRED;
        """,
        f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )
