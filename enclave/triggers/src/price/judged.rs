//! Which reports of a feed fire. Pure: what comes of a report depends on what came of those before it, and on nothing else.

use std::cmp::Ordering;

use r3e_proto::api::triggers::{Crossing, PriceProgress};
use serde::{Deserialize, Serialize};

use super::number::Number;
use crate::error::TriggersError;
use crate::limits::CHANGE_BPS;

/// What a report must be to fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Above(Number),
    Below(Number),
    ChangeBps(u32),
}

/// How far a feed's reports are judged, and what came of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Judged {
    /// The record's, when that began: for another one this says nothing.
    pub(crate) since_ms: u64,
    /// The last report's sequence.
    pub(crate) sequence: u64,
    /// Whether the next report beyond the bound fires: none did since the last one that was not beyond it.
    pub(crate) armed: bool,
    /// Of a change, the answer that fired last, or the first one that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Number>,
    /// Reports that were not kept any more when it came to them.
    pub(crate) missed: u64,
}

impl Condition {
    /// What a definition says.
    ///
    /// # Errors
    /// [`TriggersError::Invalid`].
    pub(crate) fn read(crossing: &Crossing) -> Result<Self, TriggersError> {
        let bound = |what: &str, text: &str| {
            text.parse().map_err(|error| TriggersError::Invalid(format!("{what} is {text:?}: {error}")))
        };
        match crossing {
            Crossing::Above(text) => bound("above", text).map(Self::Above),
            Crossing::Below(text) => bound("below", text).map(Self::Below),
            Crossing::ChangeBps(bps) if CHANGE_BPS.contains(bps) => Ok(Self::ChangeBps(*bps)),
            Crossing::ChangeBps(_) => {
                let (least, most) = (CHANGE_BPS.start(), CHANGE_BPS.end());
                Err(TriggersError::Invalid(format!("change_bps is {least} to {most}")))
            }
        }
    }
}

impl Judged {
    /// Before any report.
    pub(crate) fn nothing(since_ms: u64) -> Self {
        Self { since_ms, sequence: 0, armed: true, reference: None, missed: 0 }
    }

    /// What stands after the next report that is kept, and whether that one fires. A report that was judged changes nothing.
    pub(crate) fn after(&self, condition: Condition, sequence: u64, answer: Number) -> (Self, bool) {
        let ahead = sequence.saturating_sub(self.sequence);
        if ahead == 0 {
            return (self.clone(), false);
        }
        let missed = self.missed.saturating_add(ahead - 1);
        let next = Self { sequence, missed, ..self.clone() };
        let is_beyond = match condition {
            Condition::Above(bound) => answer.compare(bound) == Ordering::Greater,
            Condition::Below(bound) => answer.compare(bound) == Ordering::Less,
            Condition::ChangeBps(bps) => {
                let fires = self.reference.is_some_and(|reference| answer.differs_by(reference, bps));
                let reference = if fires { Some(answer) } else { self.reference.or(Some(answer)) };
                return (Self { reference, ..next }, fires);
            }
        };
        (Self { armed: !is_beyond, ..next }, is_beyond && self.armed)
    }

    /// As its tenant is shown it.
    pub(crate) fn shown(&self, condition: Condition, trouble: Option<String>) -> PriceProgress {
        let is_change = matches!(condition, Condition::ChangeBps(_));
        PriceProgress {
            sequence: self.sequence,
            armed: (!is_change).then_some(self.armed),
            reference: self.reference.map(|reference| reference.to_string()),
            missed: self.missed,
            trouble,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(units: i64) -> Number {
        Number::new(i128::from(units), 2).unwrap()
    }

    /// The sequences that fire, of answers from sequence 1 on.
    fn fired(condition: Condition, answers: &[i64]) -> Vec<u64> {
        let (mut judged, mut sequences) = (Judged::nothing(1), Vec::new());
        for (sequence, answer) in (1..).zip(answers) {
            let (next, fires) = judged.after(condition, sequence, number(*answer));
            sequences.extend(fires.then_some(sequence));
            judged = next;
        }
        sequences
    }

    #[test]
    fn a_bound_fires_once_until_it_was_gone_back_to() {
        let above = Condition::Above("0.50".parse().unwrap());
        assert_eq!(fired(above, &[60, 70, 51, 50, 51, 49, 50, 52]), [1, 5, 8]);
        let below = Condition::Below("0.5".parse().unwrap());
        assert_eq!(fired(below, &[51, 49, 50, 49, 48, 60, -1]), [2, 4, 7]);
        let finer = Condition::Above("0.5000001".parse().unwrap());
        assert_eq!(fired(finer, &[50, 51]), [2]);
    }

    #[test]
    fn a_change_counts_from_what_fired_last() {
        let change = Condition::ChangeBps(1_000);
        assert_eq!(fired(change, &[100, 109, 91, 110, 120, 121, 100]), [4, 6, 7]);
        assert_eq!(fired(change, &[0, 0, 1, 1, 0, 0]), [3, 5]);
        assert_eq!(fired(change, &[-100, -109, -110, -99]), [3, 4]);
    }

    #[test]
    fn what_was_judged_is_not_judged_again_and_what_is_gone_is_counted() {
        let above = Condition::Above("0".parse().unwrap());
        let (judged, fires) = Judged::nothing(7).after(above, 5, number(1));
        assert!(fires);
        assert_eq!((judged.sequence, judged.missed, judged.armed), (5, 4, false));
        assert_eq!(judged.after(above, 5, number(-1)), (judged.clone(), false));
        assert_eq!(judged.after(above, 2, number(-1)), (judged.clone(), false));
        let text = serde_json::to_string(&judged).unwrap();
        assert_eq!(serde_json::from_str::<Judged>(&text).unwrap(), judged);
        let last = Judged { sequence: u64::MAX, ..judged };
        assert_eq!(last.after(above, u64::MAX, number(-1)), (last.clone(), false));
    }

    #[test]
    fn only_what_can_be_judged_is_a_condition() {
        for wrong in [
            Crossing::Above("much".into()),
            Crossing::Below("1e3".into()),
            Crossing::ChangeBps(0),
            Crossing::ChangeBps(u32::MAX),
        ] {
            assert!(matches!(Condition::read(&wrong), Err(TriggersError::Invalid(_))), "{wrong:?}");
        }
        assert_eq!(Condition::read(&Crossing::ChangeBps(500)).unwrap(), Condition::ChangeBps(500));
    }

    proptest! {
        /// Against what the words say, over all of the answers at once.
        #[test]
        fn the_words_hold(answers in prop::collection::vec(-20i64..20, 0..40), bound in -20i64..20, bps in 1u32..20_000) {
            let beyond = |at: usize| answers[at] > bound;
            let expected: Vec<u64> = (0..answers.len())
                .filter(|at| beyond(*at) && (*at == 0 || !beyond(at - 1)))
                .map(|at| at as u64 + 1)
                .collect();
            prop_assert_eq!(fired(Condition::Above(number(bound)), &answers), expected);

            let under = |at: usize| answers[at] < bound;
            let expected: Vec<u64> =
                (0..answers.len()).filter(|at| under(*at) && (*at == 0 || !under(at - 1))).map(|at| at as u64 + 1).collect();
            prop_assert_eq!(fired(Condition::Below(number(bound)), &answers), expected);

            let (mut last, mut expected) = (None, Vec::new());
            for (sequence, answer) in (1..).zip(&answers) {
                let from: i64 = *last.get_or_insert(*answer);
                if *answer != from && (answer - from).abs() * 10_000 >= i64::from(bps) * from.abs() {
                    (last, expected) = (Some(*answer), [expected, vec![sequence]].concat());
                }
            }
            prop_assert_eq!(fired(Condition::ChangeBps(bps), &answers), expected);
        }
    }
}
