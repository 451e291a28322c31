//! The order in which things that need each other build.

use std::collections::{BTreeMap, BTreeSet};

/// Who needs whom, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Graph<N: Ord + Clone> {
    needs: BTreeMap<N, BTreeSet<N>>,
}

impl<N: Ord + Clone> Default for Graph<N> {
    fn default() -> Self {
        Self { needs: BTreeMap::new() }
    }
}

/// What becomes of a graph.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Order<N> {
    /// Every node after what it needs; among those that could be next, the smallest first.
    Sorted(Vec<N>),
    /// Nodes that need each other in a circle, from the smallest on; the last needs the first.
    Cycle(Vec<N>),
}

impl<N: Ord + Clone> Graph<N> {
    /// Adds a node that needs others; needs that are no nodes are left out of account.
    pub fn add(&mut self, node: N, needs: impl IntoIterator<Item = N>) {
        self.needs.entry(node).or_default().extend(needs);
    }

    /// Sorts the nodes.
    ///
    /// Pure: equal inputs give equal output.
    pub fn order(&self) -> Order<N> {
        let mut waiting: BTreeMap<&N, usize> = self
            .needs
            .iter()
            .map(|(node, needs)| (node, needs.iter().filter(|need| self.needs.contains_key(need)).count()))
            .collect();
        let users = self.users();
        let mut ready: BTreeSet<&N> =
            waiting.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
        let mut sorted = Vec::with_capacity(self.needs.len());
        while let Some(node) = ready.pop_first() {
            waiting.remove(node);
            sorted.push(node.clone());
            for user in users.get(node).into_iter().flatten() {
                let Some(count) = waiting.get_mut(user) else { continue };
                *count -= 1;
                if *count == 0 {
                    ready.insert(user);
                }
            }
        }
        if waiting.is_empty() { Order::Sorted(sorted) } else { Order::Cycle(self.cycle(&waiting)) }
    }

    /// Lists everything that needs one of `nodes`, directly or through others, without themselves.
    pub fn downstream(&self, nodes: &BTreeSet<N>) -> BTreeSet<N> {
        let users = self.users();
        reach(nodes, |node| users.get(node).into_iter().flatten().map(|user| (*user).clone()).collect())
    }

    /// Lists everything that `nodes` need, directly or through others, without themselves.
    pub fn upstream(&self, nodes: &BTreeSet<N>) -> BTreeSet<N> {
        reach(nodes, |node| self.needs.get(node).into_iter().flatten().cloned().collect())
    }

    fn users(&self) -> BTreeMap<&N, BTreeSet<&N>> {
        let mut users: BTreeMap<&N, BTreeSet<&N>> = BTreeMap::new();
        for (node, needs) in &self.needs {
            for need in needs {
                users.entry(need).or_default().insert(node);
            }
        }
        users
    }

    /// Walks among nodes that wait for each other until one comes again.
    fn cycle(&self, waiting: &BTreeMap<&N, usize>) -> Vec<N> {
        let mut path: Vec<&N> = Vec::new();
        let mut next = waiting.keys().next().copied();
        while let Some(node) = next {
            if let Some(start) = path.iter().position(|seen| *seen == node) {
                let circle = &path[start..];
                let smallest =
                    circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(at, _)| at);
                return circle[smallest..]
                    .iter()
                    .chain(&circle[..smallest])
                    .map(|node| (*node).clone())
                    .collect();
            }
            path.push(node);
            next = self.needs[node].iter().find(|need| waiting.contains_key(need));
        }
        Vec::new()
    }
}

fn reach<N: Ord + Clone>(from: &BTreeSet<N>, step: impl Fn(&N) -> Vec<N>) -> BTreeSet<N> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<N> = from.iter().cloned().collect();
    while let Some(node) = open.pop() {
        for next in step(&node) {
            if !from.contains(&next) && seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&'static str, &[&'static str])]) -> Graph<&'static str> {
        let mut graph = Graph::default();
        for (node, needs) in edges {
            graph.add(*node, needs.iter().copied());
        }
        graph
    }

    #[test]
    fn sorts_what_is_needed_first_and_else_by_name() {
        let sorted = graph(&[("c", &["z"]), ("z", &[]), ("a", &["c"]), ("b", &["raw"])]).order();
        assert_eq!(sorted, Order::Sorted(vec!["b", "z", "c", "a"]));
    }

    #[test]
    fn names_a_cycle_in_order() {
        let order = graph(&[("x", &["b"]), ("b", &["c"]), ("c", &["a"]), ("a", &["b"]), ("d", &[])]).order();
        assert_eq!(order, Order::Cycle(vec!["a", "b", "c"]));
        assert_eq!(graph(&[("a", &["a"])]).order(), Order::Cycle(vec!["a"]));
    }

    #[test]
    fn walks_up_and_down() {
        let graph = graph(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["a"])]);
        assert_eq!(graph.downstream(&["b"].into()), ["c"].into());
        assert_eq!(graph.downstream(&["a"].into()), ["b", "c", "d"].into());
        assert_eq!(graph.upstream(&["c"].into()), ["a", "b"].into());
    }
}
