//! The questions to the catalog: one for each kind of thing, however many there are. `$NAMES` stands for the list
//! of namespaces. What belongs to an extension, and what `promote` keeps for itself, is nobody's to declare.

/// Namespaces that are there.
pub(super) const NAMESPACES: &str =
    "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname IN ($NAMES) ORDER BY 1";

/// Tables, views, materialized views, sequences.
pub(super) const RELATIONS: &str = r"
SELECT n.nspname, c.relname, c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class'),
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
  coalesce(pg_catalog.array_to_json(c.reloptions)::text, '[]'),
  (SELECT coalesce(pg_catalog.json_agg(f), '[]')::text FROM pg_catalog.unnest(ARRAY[
    CASE WHEN c.relkind = 'p' THEN 'partitioned by ' || pg_catalog.pg_get_partkeydef(c.oid) END,
    CASE WHEN c.relkind = 'f' THEN 'foreign table' END,
    CASE WHEN c.relispartition THEN 'partition ' || pg_catalog.pg_get_expr(c.relpartbound, c.oid) END,
    CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END,
    CASE WHEN c.relrowsecurity THEN 'row level security' END,
    CASE WHEN c.relforcerowsecurity THEN 'forced row level security' END,
    CASE WHEN c.relkind IN ('r', 'p') AND c.relreplident <> 'd' THEN 'replica identity ' || c.relreplident::text END,
    CASE WHEN c.reltablespace <> 0 THEN 'tablespace ' || (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace) END,
    CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END
  ] || ARRAY(SELECT 'inherits ' || i.inhparent::pg_catalog.regclass FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid ORDER BY 1)
    || ARRAY(SELECT 'policy ' || p.polname || ' ' || p.polcmd::text || p.polpermissive::text || p.polroles::pg_catalog.regrole[]::text
        || coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
        FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid ORDER BY 1)
    || ARRAY(SELECT 'rule ' || pg_catalog.pg_get_ruledef(r.oid) FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' ORDER BY 1)
  ) f WHERE f IS NOT NULL),
  CASE WHEN c.relowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN pg_catalog.pg_get_userbyid(c.relowner) END,
  (SELECT coalesce(pg_catalog.json_agg(g.statement ORDER BY g.place, g.grantee, g.privilege), '[]')::text FROM (
    SELECT 1 AS place, a.grantee, a.privilege_type AS privilege, pg_catalog.format('GRANT %s ON TABLE %s TO %s%s', a.privilege_type, c.oid::pg_catalog.regclass,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
    FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
    UNION ALL SELECT DISTINCT 0, a.grantee, '', pg_catalog.format('REVOKE ALL ON %s FROM %s', c.oid::pg_catalog.regclass,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
    FROM pg_catalog.pg_default_acl f, pg_catalog.aclexplode(f.defaclacl) a
    WHERE c.relkind IN ('v', 'm') AND f.defaclobjtype = 'r' AND f.defaclnamespace IN (0, n.oid) AND a.grantee <> f.defaclrole
      AND f.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)) g),
  (SELECT pg_catalog.format('AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s', pg_catalog.format_type(s.seqtypid, NULL),
      s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)
    FROM pg_catalog.pg_sequence s WHERE s.seqrelid = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ($NAMES) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
ORDER BY 1, 2";

/// Columns in their order.
pub(super) const COLUMNS: &str = r"
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '',
  CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
  (SELECT pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(l.collname) FROM pg_catalog.pg_collation l
    JOIN pg_catalog.pg_namespace cn ON cn.oid = l.collnamespace
    WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation),
  pg_catalog.col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname IN ($NAMES) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, 2, a.attnum";

/// Keys and checks.
pub(super) const CONSTRAINTS: &str = r"
SELECT n.nspname, c.relname, k.conname,
  CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'x' THEN 'EXCLUDE' END,
  pg_catalog.pg_get_constraintdef(k.oid),
  (SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY u.place), '[]')::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ($NAMES) AND k.contype IN ('p', 'u', 'c', 'f', 'x')
ORDER BY 1, 2, 3";

/// Indexes that are no key's.
pub(super) const INDEXES: &str = r"
SELECT n.nspname, c.relname, i.relname, pg_catalog.pg_get_indexdef(x.indexrelid), x.indisvalid
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ($NAMES)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY 1, 2, 3";

/// Triggers.
pub(super) const TRIGGERS: &str = r"
SELECT n.nspname, c.relname, t.tgname, pg_catalog.pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ($NAMES) AND NOT t.tgisinternal
ORDER BY 1, 2, 3";

/// What hangs on a column or an index: rights to it, comments on it, the order of rows that it gives.
pub(super) const HANGING: &str = r"
SELECT n.nspname, c.relname, a.attname, NULL, pg_catalog.format('GRANT %s (%I) ON TABLE %s TO %s%s', x.privilege_type, a.attname, c.oid::pg_catalog.regclass,
  CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END,
  CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.aclexplode(a.attacl) x
WHERE n.nspname IN ($NAMES) AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND x.grantee <> c.relowner
UNION ALL
SELECT n.nspname, c.relname, NULL, i.relname, s.statement
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES ('COMMENT ON INDEX ' || i.oid::pg_catalog.regclass || ' IS ' || pg_catalog.quote_literal(pg_catalog.obj_description(i.oid, 'pg_class'))),
    (CASE WHEN x.indisclustered THEN pg_catalog.format('ALTER MATERIALIZED VIEW %s CLUSTER ON %I', c.oid::pg_catalog.regclass, i.relname) END)) s(statement)
WHERE n.nspname IN ($NAMES) AND c.relkind = 'm' AND s.statement IS NOT NULL
ORDER BY 1, 2, 3, 4, 5";

/// What views are bound to, and which column owns a sequence.
pub(super) const READS: &str = r"
SELECT DISTINCT n.nspname, c.relname, m.nspname, r.relname, a.attname
FROM pg_catalog.pg_rewrite w
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.oid = d.refobjid AND r.oid <> c.oid
JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE c.relkind IN ('v', 'm') AND n.nspname IN ($NAMES)
UNION
SELECT n.nspname, c.relname, m.nspname, r.relname, a.attname
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid AND c.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.oid = d.refobjid
JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid
WHERE d.deptype = 'a' AND n.nspname IN ($NAMES)
ORDER BY 1, 2, 3, 4, 5";

/// What views of other namespaces are bound to: those that read something of these, and those that read them.
pub(super) const OUTSIDE: &str = r"
WITH RECURSIVE edge AS (
  SELECT DISTINCT w.ev_class AS reader, d.refobjid AS read, d.refobjsubid AS part
  FROM pg_catalog.pg_rewrite w
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class
), reader(oid) AS (
  SELECT e.reader FROM edge e JOIN pg_catalog.pg_class r ON r.oid = e.read JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
  WHERE m.nspname IN ($NAMES)
  UNION
  SELECT e.reader FROM edge e JOIN reader ON e.read = reader.oid
)
SELECT n.nspname, c.relname, m.nspname, r.relname, a.attname
FROM reader
JOIN pg_catalog.pg_class c ON c.oid = reader.oid AND c.relkind IN ('v', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN edge e ON e.reader = c.oid
JOIN pg_catalog.pg_class r ON r.oid = e.read
JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = e.part AND e.part > 0
WHERE n.nspname NOT IN ($NAMES) AND n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname, 'pg_')
ORDER BY 1, 2, 3, 4, 5";

/// Functions and procedures.
pub(super) const ROUTINES: &str = r"
SELECT n.nspname, p.proname, p.prokind::text, p.proretset, pg_catalog.pg_get_functiondef(p.oid),
  pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid),
  coalesce(pg_catalog.array_to_json(p.proargnames)::text, '[]'), coalesce(pg_catalog.array_to_json(p.proargmodes)::text, '[]'),
  (SELECT coalesce(pg_catalog.json_agg(pg_catalog.format_type(u.type, NULL) ORDER BY u.place), '[]')::text
    FROM pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY u(type, place)),
  p.pronargdefaults::text, pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.obj_description(p.oid, 'pg_proc'),
  CASE WHEN p.proowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN pg_catalog.pg_get_userbyid(p.proowner) END,
  NOT pg_catalog.pg_has_role(p.proowner, 'MEMBER'),
  coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)) IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a WHERE a.grantee = 0),
  (SELECT coalesce(pg_catalog.json_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
      || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END ORDER BY a.grantee), '[]')::text
    FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner AND (a.grantee <> 0 OR EXISTS (SELECT FROM pg_catalog.pg_default_acl f
      WHERE f.defaclobjtype = 'f' AND f.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)))),
  (SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee))), '[]')::text
    FROM pg_catalog.pg_default_acl f, pg_catalog.aclexplode(f.defaclacl) a
    WHERE f.defaclobjtype = 'f' AND f.defaclnamespace IN (0, n.oid) AND a.grantee NOT IN (0, f.defaclrole)
      AND f.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user))
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ($NAMES) AND p.prokind IN ('f', 'p')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
ORDER BY 1, 2, 6";

/// Enumerations, composite types, domains, ranges.
pub(super) const TYPES: &str = r"
SELECT n.nspname, t.typname, t.typtype::text,
  CASE t.typtype
    WHEN 'e' THEN (SELECT coalesce(pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
    WHEN 'c' THEN (SELECT coalesce(pg_catalog.json_agg(pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum), '[]')::text
      FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
    ELSE '[]' END,
  CASE t.typtype
    WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
      || coalesce((SELECT pg_catalog.string_agg(' CONSTRAINT ' || pg_catalog.quote_ident(k.conname) || ' ' || pg_catalog.pg_get_constraintdef(k.oid), '' ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid), '')
    WHEN 'r' THEN (SELECT 'RANGE (SUBTYPE = ' || pg_catalog.format_type(r.rngsubtype, NULL) || ')' FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid)
    ELSE '' END,
  pg_catalog.obj_description(t.oid, 'pg_type'),
  CASE WHEN t.typowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN pg_catalog.pg_get_userbyid(t.typowner) END,
  NOT pg_catalog.pg_has_role(t.typowner, 'MEMBER'),
  coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)) IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))) a WHERE a.grantee = 0),
  (SELECT coalesce(pg_catalog.json_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
      || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END ORDER BY a.grantee), '[]')::text
    FROM pg_catalog.aclexplode(coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))) a WHERE a.grantee <> t.typowner AND (a.grantee <> 0 OR EXISTS (SELECT FROM pg_catalog.pg_default_acl f
      WHERE f.defaclobjtype = 'T' AND f.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)))),
  (SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee))), '[]')::text
    FROM pg_catalog.pg_default_acl f, pg_catalog.aclexplode(f.defaclacl) a
    WHERE f.defaclobjtype = 'T' AND f.defaclnamespace IN (0, n.oid) AND a.grantee NOT IN (0, f.defaclrole)
      AND f.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE n.nspname IN ($NAMES) AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY 1, 2";
