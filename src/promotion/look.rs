//! What is looked at, in order: the target's policy, the merge, the projects, the configuration, the schema.

use std::collections::BTreeSet;

use serde_json::json;

use crate::config::{self, ConfigError, Flags, Mask, Resolved, Written};
use crate::git::{
    self, GitError, Merged, Pointer, Revision, Selected, Squashed, Store, Submodules, WorkTreeState,
};
use crate::model::environment::{Environment, Via, Warehouse};
use crate::model::finding::Finding;
use crate::model::merge::FileChangeKind;
use crate::model::name::EnvironmentName;
use crate::model::plan::{ConfigChange, Proposal, Side as PlanSide, TargetSide};
use crate::model::project::{Direction, Prefer, Promotion};
use crate::model::record::{Promoted, Record};
use crate::model::snapshot::{Snapshot, SnapshotSource};
use crate::models::Models;
use crate::transform;

use super::closure;
use super::digest::digest;
use super::effective::{Effectives, Settled};
use super::error::PromotionError;
use super::folder::Folder;
use super::gather::Gathered;
use super::ground::{Ground, inputs};
use super::known::Known;
use super::ledger::{self, Pair};
use super::load::{load, load_models, load_written};
use super::merging::{Merging, Second, merge};
use super::observe::Target;
use super::observed::{Histories, NoTarget, Observed, Policy};
use super::planner;
use super::propose::branch_name;
use super::request::{Ports, Request};
use super::returning;
use super::schema::{self, Presence, SchemaPlan, Subject};
use super::site::Location;
use super::site::is_same;
use super::stores;

/// What looking needs.
pub(super) struct Looking<'a> {
    pub(super) request: &'a Request,
    pub(super) ground: &'a Ground,
    pub(super) gathered: &'a Gathered,
    pub(super) store: &'a Store,
    pub(super) source: Revision,
    pub(super) records: &'a [Record],
    /// What was merged since it was proposed, and is not recorded as promoted.
    pub(super) landed: &'a [Promoted],
}

/// What looking gave.
pub(super) struct Looked {
    pub(super) observed: Observed,
    pub(super) onto: Option<Revision>,
    /// What the merge brings that points into a store of Git LFS.
    pub(super) pointers: Vec<Pointer>,
    /// Submodules that the merge takes to other commits.
    pub(super) submodules: Submodules,
    pub(super) target: Option<Target>,
    pub(super) known: Option<Known>,
    pub(super) source_project: Option<String>,
    pub(super) target_project: Option<String>,
    pub(super) mask: Mask,
}

/// The project file at the three places that matter.
struct Projects {
    /// What the source's calls its project.
    source: Option<String>,
    /// Plugins that the source's has in several files.
    scattered: BTreeSet<String>,
    /// The target's as it stands; its policy counts.
    before: Option<Written>,
    /// The merged one.
    after: Option<Written>,
    /// The merged files.
    snapshot: Option<Snapshot>,
}

impl Projects {
    /// Lists the plugins that are spread over several files in the merged project, and on neither side.
    fn newly_scattered(&self) -> Vec<(String, Vec<String>)> {
        let scattered =
            |written: &Option<Written>| written.as_ref().map(Written::scattered).unwrap_or_default();
        let known = scattered(&self.before);
        let new = scattered(&self.after)
            .into_iter()
            .filter(|(plugin, _)| !known.contains_key(plugin) && !self.scattered.contains(plugin));
        new.map(|(plugin, files)| (plugin, files.into_iter().collect())).collect()
    }
}

impl Looking<'_> {
    /// Looks at everything.
    pub(super) async fn look(&self, ports: &mut Ports<'_>) -> Result<Looked, PromotionError> {
        let mut findings = self.store.findings().to_vec();
        findings.extend(self.gathered.store.findings().iter().cloned());
        let before = self.policy_file(&mut findings)?;
        let mut merging = self.merging(before.as_ref(), ports)?;
        let second = Second { program: ports.git, interrupted: std::sync::Arc::clone(&ports.interrupted) };
        let make = |merging: &Merging| {
            merge(self.store, merging, self.request, (&self.source, self.gathered.to.tip.as_ref()), &second)
        };
        let merged = self.merged(&mut merging, &make, ports)?;
        let merged = self.closed((merged, before.as_ref()), &mut merging, &make, (ports, &mut findings))?;
        let histories = self.histories(&merged)?;
        if histories == Histories::Unrelated {
            findings.extend(self.base(&merging, &merged, &make)?);
        }
        findings.extend(merged.findings.iter().cloned());
        let stranded = stores::stranded(self.store, self.gathered, &merged, (ports, &mut findings))?;
        findings.extend(self.not_pushed()?);
        let projects = self.projects(before, &merged)?;
        let mut mask = Mask::default();
        let (config, settled) = self.effective(&projects, ports, (&mut mask, &mut findings))?;
        let (schema, target) = self.schema(&projects, settled.as_ref(), ports).await?;
        findings.extend(schema.findings.iter().cloned());
        findings.extend(settled.as_ref().and_then(|settled| self.elsewhere(&settled.policy.environment)));
        let policy = self.policy(&projects, &merging, settled.as_ref(), &merged)?;
        let runs = match target.as_ref().and_then(|target| target.models.as_ref()) {
            Some(models) => transform::schedule(models, &all(models)),
            None => Vec::new(),
        };
        let observed = Observed {
            from: self.request.from.clone(),
            to: self.request.to.clone(),
            source: self.source_side(),
            target: self.target_side(&merged),
            histories,
            near: self.gathered.to.near.clone(),
            merge: merged.merge,
            config,
            proposal: self.proposal(histories),
            config_digest: projects.after.as_ref().map(config::committed_digest),
            migration: schema.migration,
            runs,
            policy,
            stranded,
            findings,
        };
        let known = schema.known;
        Ok(Looked {
            observed,
            onto: merged.onto,
            pointers: merged.pointers,
            submodules: merged.submodules,
            target,
            known,
            source_project: projects.source.clone(),
            target_project: project_id(projects.before.as_ref()),
            mask,
        })
    }

    fn source_side(&self) -> PlanSide {
        let site = &self.gathered.from.site;
        PlanSide {
            repository: site.location.words(),
            branch: site.branch.clone(),
            commit: self.source.to_string(),
        }
    }

    fn target_side(&self, merged: &Merged) -> TargetSide {
        let to = &self.gathered.to;
        TargetSide {
            repository: to.site.location.words(),
            branch: to.site.branch.clone(),
            before: to.tip.as_ref().map(Revision::to_string),
            after: None,
            tree: merged.tree.as_ref().map(Revision::to_string),
        }
    }

    /// Reads the target's project file as it stands; its policy counts, never that of what is promoted.
    fn policy_file(&self, findings: &mut Vec<Finding>) -> Result<Option<Written>, PromotionError> {
        let Some(at_hand) = &self.ground.project else { return Ok(None) };
        let Some(tip) = &self.gathered.to.tip else { return Ok(None) };
        let found = match load_written(self.store, tip, &at_hand.prefix, &at_hand.file) {
            Err(PromotionError::Config(ConfigError::Faults(faults))) => {
                let (file, commit) = (at_hand.file.clone(), tip.to_string());
                return Err(PromotionError::BrokenPolicy { file, commit, faults });
            }
            found => found?,
        };
        let to = EnvironmentName::new(self.request.to.as_str());
        let knows = |written: &Written| written.project().environments.contains(&to);
        match found {
            Some(written) if knows(&written) => Ok(Some(written)),
            _ => {
                findings.push(Finding::notice(
                    "policy-from-source",
                    format!(
                        "the target has no `{}` that names `{to}`; policy is read from the file at hand",
                        at_hand.file
                    ),
                ));
                Ok(None)
            }
        }
    }

    fn merging(&self, before: Option<&Written>, ports: &Ports<'_>) -> Result<Merging, PromotionError> {
        let at_hand = self.ground.project.as_ref();
        let policy = before.or_else(|| at_hand.map(|project| &project.written));
        let promotion = policy.map(|written| written.project().promotion.clone()).unwrap_or_default();
        let prefer = match self.direction(&promotion) {
            Direction::Backward => Prefer::None,
            Direction::Forward | Direction::Skips => promotion.prefer,
        };
        let project_file = at_hand.map(|project| format!("{}{}", project.prefix, project.file));
        let base = match (self.request.said.base.as_deref(), &self.gathered.to.tip) {
            (Some("auto"), Some(tip)) => {
                git::resemblance(self.store, tip, &self.source)?.map(|found| found.commit)
            }
            (Some(name), _) => Some(self.resolve(name)?),
            (None, _) => None,
        };
        Ok(Merging {
            promotion,
            prefer,
            project_file,
            base,
            squashed: self.squashed()?,
            selected: self.selected()?,
            commits: self.commits()?,
            added: Vec::new(),
            again: Vec::new(),
            reinstate: Vec::new(),
            spare: Vec::new(),
            by: self.ground.identity(ports),
        })
    }

    /// Lists what was promoted in part since the last whole promotion, as far as the source still has it.
    fn selected(&self) -> Result<Vec<Selected>, PromotionError> {
        let mut selected = Vec::new();
        for part in ledger::selected(self.records, &self.request.to) {
            let source = Revision::new(part.source)?;
            if self.store.has(&source) && self.store.contains(&self.source, &source)? {
                let commits = part.commits.into_iter().map(Revision::new).collect::<Result<_, _>>()?;
                let paths = part.paths.into_iter().map(str::to_owned).collect();
                selected.push(Selected { source, paths, commits });
            }
        }
        Ok(selected)
    }

    /// Closes a part over what its models refer to, and says what comes for that.
    fn closed(
        &self,
        (mut merged, before): (Merged, Option<&Written>),
        merging: &mut Merging,
        make: &dyn Fn(&Merging) -> Result<Merged, GitError>,
        (ports, findings): (&Ports<'_>, &mut Vec<Finding>),
    ) -> Result<Merged, PromotionError> {
        let (true, Some(tip)) = (self.request.said.is_partial(), &self.gathered.to.tip) else {
            merged.merge.part = merging.part(self.request);
            return Ok(merged);
        };
        let pending = git::pending(self.store, tip, &self.source, &merging.selected)?;
        let prefix = self.ground.project.as_ref().map_or("", |project| project.prefix.as_str());
        let below = |path: &String| path.strip_prefix(prefix).map(str::to_owned);
        let pending = pending.iter().filter_map(below).collect();
        if let Some(models) = self.source_models(before, ports, findings)? {
            loop {
                let files = merged.merge.files.iter().filter(|file| file.change != FileChangeKind::Deleted);
                let coming = files.filter_map(|file| below(&file.path)).collect();
                let mut missing = closure::missing(&models, &coming, &pending);
                for part in &mut missing {
                    part.path = part.path.take().map(|path| format!("{prefix}{path}"));
                }
                missing.retain(|part| merging.added.iter().all(|added| added.path != part.path));
                if missing.is_empty() {
                    break;
                }
                merging.added.extend(missing);
                merged = returning::with_the_same(&merged, make(merging)?);
            }
        }
        merged.merge.part = merging.part(self.request);
        Ok(merged)
    }

    /// Loads the source's models as the target would have them; nothing where there are none to go by.
    fn source_models(
        &self,
        before: Option<&Written>,
        ports: &Ports<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Models>, PromotionError> {
        let Some(at_hand) = &self.ground.project else { return Ok(None) };
        let name = EnvironmentName::new(self.request.to.as_str());
        let Ok(Some((source, snapshot))) = load(self.store, &self.source, &at_hand.prefix, &at_hand.file)
        else {
            return Ok(None);
        };
        let knows = |written: &&Written| written.project().environments.contains(&name);
        let known = [Some(&source), before, Some(&at_hand.written)].into_iter().flatten().find(knows);
        let Some(written) = known else { return Ok(None) };
        let resolved = written.environment(&name, &inputs(&at_hand.root, ports, Flags::default())?)?;
        match load_models(&snapshot, &resolved, written, ports) {
            Ok(models) => Ok(Some(models)),
            Err(error) => {
                let message = format!("what the chosen models refer to is not known: in the source, {error}");
                findings.push(Finding::warning("not-closed", message));
                Ok(None)
            }
        }
    }

    /// Finds the commits that alone are promoted.
    fn commits(&self) -> Result<Vec<Revision>, PromotionError> {
        let names = self.request.said.only_commit.iter();
        Ok(names.map(|name| self.resolve(name)).collect::<Result<_, _>>()?)
    }

    /// Finds the commit that a name means: by its id, else as the repository at hand calls it.
    fn resolve(&self, name: &str) -> Result<Revision, GitError> {
        let unknown = match (self.store.resolve(name), &self.ground.local) {
            (Ok(found), _) => return Ok(found),
            (Err(unknown), None) => return Err(unknown),
            (Err(unknown), Some(_)) => unknown,
        };
        let local = self.ground.local.as_ref().map(|local| Store::local(&local.git_dir)).transpose()?;
        let found = local.and_then(|local| local.resolve(name).ok());
        // What was not pushed is in no workspace.
        found.filter(|found| self.store.has(found)).ok_or(unknown)
    }

    /// Says what a base does for histories that have none: what would be lost with it and without.
    fn base(
        &self,
        merging: &Merging,
        merged: &Merged,
        make: &dyn Fn(&Merging) -> Result<Merged, GitError>,
    ) -> Result<Option<Finding>, PromotionError> {
        let Some(tip) = &self.gathered.to.tip else { return Ok(None) };
        let said = |merged: &Merged| {
            let (losses, deleted) = (merged.merge.losses.len(), merged.merge.files.iter());
            let deleted = deleted.filter(|file| file.change == FileChangeKind::Deleted).count();
            let counted = |count: usize, one: &str, many: &str| {
                format!("{count} {}", if count == 1 { one } else { many })
            };
            let losses = counted(losses, "loss", "losses");
            format!("{losses} and {}", counted(deleted, "deleted file", "deleted files"))
        };
        if let Some(base) = &merging.base {
            let without = make(&Merging { base: None, ..merging.clone() })?;
            let message = format!(
                "with {} as the base there are {}; without a base, {}",
                base.short(),
                said(merged),
                said(&without)
            );
            return Ok(Some(Finding::notice("base", message)));
        }
        let Some(found) = git::resemblance(self.store, tip, &self.source)? else { return Ok(None) };
        let with = make(&Merging { base: Some(found.commit.clone()), ..merging.clone() })?;
        let message = format!(
            "commit {} of the source has {} of the target's {} files as they are: with it as the base there are {}; \
             without a base, {}",
            found.commit.short(),
            found.shared,
            found.of,
            said(&with),
            said(merged)
        );
        let hint = format!("take it with `--base {}` (or `--base auto`)", found.commit.short());
        Ok(Some(Finding::notice("base-offered", message).hint(hint)))
    }

    pub(super) fn direction(&self, promotion: &Promotion) -> Direction {
        let name = |name: &String| EnvironmentName::new(name.as_str());
        promotion.direction(&name(&self.request.from), &name(&self.request.to))
    }

    fn histories(&self, merged: &Merged) -> Result<Histories, PromotionError> {
        let to = &self.gathered.to;
        // A pull request without a change is none; a squashed one leaves no common commit.
        if let (Some(tip), Some(tree), false) = (&to.tip, &merged.tree, merged.unrelated)
            && to.site.via != Via::Push
            && self.store.tree_of(tip)? == *tree
        {
            return Ok(Histories::Contained);
        }
        Ok(match (&to.tip, merged.up_to_date, merged.unrelated) {
            (None, ..) => {
                Histories::NoTarget(if to.has_branches { NoTarget::Missing } else { NoTarget::Empty })
            }
            (Some(_), true, _) => Histories::Contained,
            (Some(_), false, true) => Histories::Unrelated,
            (Some(_), false, false) => Histories::Related,
        })
    }

    /// Says where the promotion waits for somebody to merge it, where the target's branch is not pushed to.
    fn proposal(&self, histories: Histories) -> Option<Proposal> {
        let via = self.gathered.to.site.via;
        (via != Via::Push && histories != Histories::Contained).then(|| Proposal {
            via,
            branch: branch_name(&self.request.from, &self.request.to),
            commit: None,
            number: None,
            url: None,
        })
    }

    /// Finds the last promotion, where somebody squashed it or rebased it: the target's past lacks what it has.
    fn squashed(&self) -> Result<Option<Squashed>, PromotionError> {
        let Some(tip) = &self.gathered.to.tip else { return Ok(None) };
        let last = self.landed.last().or_else(|| ledger::last_promotion(self.records, &self.request.to));
        let whole = last.filter(|promoted| !promoted.acknowledgements.is_partial());
        let Some((promoted, commit)) = whole.and_then(|last| Some((last, last.commit.as_deref()?))) else {
            return Ok(None);
        };
        let (source, target) = (Revision::new(&promoted.source_commit)?, Revision::new(commit)?);
        let store = self.store;
        let known = store.has(&source)
            && store.has(&target)
            && store.contains(&self.source, &source)?
            && store.contains(tip, &target)?
            && !store.contains(tip, &source)?;
        Ok(known.then_some(Squashed { source, target }))
    }

    /// Reads the source's and the merged project file.
    fn projects(&self, before: Option<Written>, merged: &Merged) -> Result<Projects, PromotionError> {
        let Some(at_hand) = &self.ground.project else {
            return Ok(Projects {
                source: None,
                scattered: BTreeSet::new(),
                before,
                after: None,
                snapshot: None,
            });
        };
        let (after, snapshot) = match &merged.tree {
            Some(tree) => load(self.store, tree, &at_hand.prefix, &at_hand.file)?.unzip(),
            None => (None, None),
        };
        let read;
        let source = if merged.tree.as_ref() == Some(&self.store.tree_of(&self.source)?) {
            after.as_ref()
        } else {
            read = load_written(self.store, &self.source, &at_hand.prefix, &at_hand.file).ok().flatten();
            read.as_ref()
        };
        let scattered = source.map(Written::scattered).unwrap_or_default().into_keys().collect();
        Ok(Projects { source: project_id(source), scattered, before, after, snapshot })
    }

    /// Compares the effective configuration of every environment, and settles the target's.
    fn effective(
        &self,
        projects: &Projects,
        ports: &Ports<'_>,
        (mask, findings): (&mut Mask, &mut Vec<Finding>),
    ) -> Result<(ConfigChange, Option<Settled>), PromotionError> {
        let Some(at_hand) = &self.ground.project else { return Ok((ConfigChange::default(), None)) };
        let both = (projects.before.as_ref(), projects.after.as_ref());
        let effectives = Effectives::of(at_hand, both, ports)?;
        let dataset = self.request.said.dataset.as_deref();
        let settled = effectives.settle(&self.request.to, dataset, findings)?;
        Ok((effectives.changes(mask), settled))
    }

    async fn schema(
        &self,
        projects: &Projects,
        settled: Option<&Settled>,
        ports: &mut Ports<'_>,
    ) -> Result<(SchemaPlan, Option<Target>), PromotionError> {
        let (Some(settled), Some(snapshot), Some(after)) = (settled, &projects.snapshot, &projects.after)
        else {
            return Ok((SchemaPlan::off("there is no project file to declare a schema"), None));
        };
        let resolved = settled.in_force(&self.request.said.allow, &self.request.to);
        let presence = match schema::presence(&resolved.environment, &self.request.said) {
            Ok(presence) => presence,
            Err(why) => {
                let target = Target { resolved, models: None };
                return Ok((SchemaPlan::off(why), Some(target)));
            }
        };
        if resolved.environment.warehouse.is_none() && resolved.faults_of("warehouse").is_empty() {
            let target = Target { resolved, models: None };
            return Ok((SchemaPlan::off("the environment names no warehouse"), Some(target)));
        }
        if let Some(Warehouse::Command { .. }) = &resolved.environment.warehouse {
            let schema = self.planned_elsewhere(&resolved, snapshot, presence, ports).await?;
            return Ok((schema, Some(Target { resolved, models: None })));
        }
        let models = load_models(snapshot, &resolved, after, ports)?;
        let subject = Subject::of(&resolved)?;
        let schema = schema::plan_schema(subject, &models, &self.request.said, presence, ports).await?;
        Ok((schema, Some(Target { resolved, models: Some(models) })))
    }

    /// Has another planner plan, with the merged tree checked out.
    async fn planned_elsewhere(
        &self,
        resolved: &Resolved,
        snapshot: &Snapshot,
        presence: Presence,
        ports: &mut Ports<'_>,
    ) -> Result<SchemaPlan, PromotionError> {
        let prefix = self.ground.project.as_ref().map(|project| project.prefix.as_str()).unwrap_or_default();
        let tree = match &snapshot.source {
            SnapshotSource::Tree(id) | SnapshotSource::Commit(id) => Revision::new(id)?,
            SnapshotSource::WorkTree => self.source.clone(),
        };
        let folder = Folder::exported(self.store, &tree, prefix)?;
        match planner::plan(resolved, folder, &self.request.said, ports).await {
            Err(PromotionError::Warehouse { .. }) if presence == Presence::Optional => {
                Ok(SchemaPlan::elsewhere(&Subject::of(resolved)?))
            }
            planned => planned,
        }
    }

    fn policy(
        &self,
        projects: &Projects,
        merging: &Merging,
        settled: Option<&Settled>,
        merged: &Merged,
    ) -> Result<Policy, PromotionError> {
        let environment = settled.map(|settled| &settled.policy.environment);
        let source_project = projects.source.as_deref();
        let said = &self.request.said;
        let pair = Pair {
            from: &self.request.from,
            to: &self.request.to,
            source_project,
            source_repository: &self.gathered.from.site.location.words(),
            joined: said.allow_unrelated,
        };
        let unrelated = self.histories(merged)? == Histories::Unrelated;
        let force = environment.map(|environment| environment.force).unwrap_or_default();
        Ok(Policy {
            direction: self.direction(&merging.promotion),
            expected_from: self.expected_from(&merging.promotion),
            migrate: environment.map(|environment| environment.migrate).unwrap_or_default(),
            proof: environment.map(|environment| environment.proof).unwrap_or_default(),
            gates: environment.map(|environment| environment.gates.clone()).unwrap_or_default(),
            hold: ledger::hold(self.records, &self.request.to).map(str::to_owned),
            moved: settled.and_then(|settled| settled.moved.clone()),
            wrong_pair: ledger::wrong_pair(self.records, &pair, unrelated),
            scattered: projects.newly_scattered(),
            dirty: self.dirty(merged)?,
            force_forbidden: said.force && force == crate::model::environment::Force::Forbidden,
            digest: policy_digest(&merging.promotion, environment),
        })
    }

    fn expected_from(&self, promotion: &Promotion) -> Option<String> {
        let place = promotion.order.iter().position(|name| name.as_str() == self.request.to)?;
        Some(promotion.order.get(place.checked_sub(1)?)?.to_string())
    }

    /// Lists what is not committed where the target's branch is checked out, or would be overwritten there.
    fn dirty(&self, merged: &Merged) -> Result<Vec<String>, PromotionError> {
        let to = &self.gathered.to;
        let Location::Local(folder) = &to.site.location else { return Ok(Vec::new()) };
        let incoming: Vec<String> = merged.merge.files.iter().map(|file| file.path.clone()).collect();
        match git::state(folder, &to.site.branch, &incoming)? {
            WorkTreeState::Dirty(_, files) => Ok(files),
            WorkTreeState::Clean(_) | WorkTreeState::NotCheckedOut => Ok(Vec::new()),
        }
    }

    /// The target's own project file may call another place by the target's name: this may be another environment.
    fn elsewhere(&self, own: &Environment) -> Option<Finding> {
        let site = &self.gathered.to.site;
        let workspace = own.workspace.as_ref()?;
        let place = |repository: Option<&str>, branch: &str| match repository {
            Some(repository) => format!("branch `{branch}` of {}", git::display_url(repository)),
            None => format!("branch `{branch}`"),
        };
        let (here, there) = (site.location.words(), workspace.repository.as_deref());
        let other = there.is_some_and(|there| !git::may_be_same(there, &here));
        if !other && workspace.branch == site.branch {
            return None;
        }
        let message = format!(
            "the target's own project file has `{}` at {}; this is {}",
            self.request.to,
            place(there, &workspace.branch),
            place(Some(&*here).filter(|here| *here != "."), &site.branch)
        );
        let hint = "look whether the project file at hand names the right repository for each environment";
        Some(Finding::warning("other-target", message).hint(hint))
    }

    /// What is only in the working copy is not promoted, and a person should know.
    fn not_pushed(&self) -> Result<Vec<Finding>, PromotionError> {
        let Some(local) = &self.ground.local else { return Ok(Vec::new()) };
        let site = &self.gathered.from.site;
        let here = match &site.location {
            Location::Local(_) => local.head.as_deref() == Some(site.branch.as_str()),
            Location::Remote(url) => local.origin.as_deref().is_some_and(|origin| is_same(origin, url)),
        };
        if !here {
            return Ok(Vec::new());
        }
        let mut findings = Vec::new();
        let files = git::uncommitted(&local.root)?;
        if let Some(first) = files.first() {
            let more =
                if files.len() == 1 { String::new() } else { format!(" and {} more", files.len() - 1) };
            findings.push(
                Finding::warning("not-pushed", format!("`{first}`{more} is changed here and not committed"))
                    .hint("what is promoted is the workspace's tip; commit and push what belongs to it"),
            );
        }
        if matches!(site.location, Location::Remote(_))
            && let ahead = git::unpushed(&local.root, &site.branch, Some(&self.source))?
            && ahead > 0
        {
            let commits = if ahead == 1 { "1 commit".to_owned() } else { format!("{ahead} commits") };
            findings.push(
                Finding::warning("not-pushed", format!("{commits} of `{}` here are not pushed", site.branch))
                    .hint("what is promoted is the workspace's tip; `git push` what belongs to it"),
            );
        }
        Ok(findings)
    }
}

fn project_id(written: Option<&Written>) -> Option<String> {
    written?.project().project_id.clone()
}

/// Digest of the policy that judged: a plan made under another one is another plan.
fn policy_digest(
    promotion: &Promotion,
    environment: Option<&crate::model::environment::Environment>,
) -> String {
    let order: Vec<&str> = promotion.order.iter().map(EnvironmentName::as_str).collect();
    let parts = json!({
        "order": order,
        "prefer": promotion.prefer,
        "paths": promotion.protected_paths,
        "keys": promotion.protected_keys,
        "structural": promotion.structural,
        "resolve": promotion.resolve,
        "migrate": environment.map(|environment| environment.migrate),
        "force": environment.map(|environment| environment.force),
        "proof": environment.map(|environment| environment.proof),
        "gates": environment.map(|environment| format!("{:?}", environment.gates)),
        "dataset": environment.and_then(|environment| environment.dataset.as_ref()),
    });
    digest(&parts.to_string())
}

/// Every object of the models.
fn all(models: &Models) -> std::collections::BTreeSet<crate::model::coordinate::Coordinate> {
    models.objects.iter().map(|object| object.coordinate.clone()).collect()
}
