//! Families of metrics, written from values that were taken before. Knows nothing of what they mean.

use std::fmt::Result;
use std::time::Duration;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, EncodeMetric as _, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// What a family is called, and what it means, in one line; its unit becomes the end of its name.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) unit: Option<Unit>,
    pub(super) help: &'static str,
}

/// A histogram as it stands.
pub(super) struct Distribution {
    /// Upper bounds in seconds with the number in each bucket; the last bound is infinite.
    pub(super) buckets: Vec<(f64, u64)>,
    /// The sum of all, in seconds.
    pub(super) sum: f64,
}

impl Distribution {
    /// Of buckets with these bounds, all in microseconds; the last has what is over them.
    pub(super) fn of(bounds_us: &[u64], counts: impl IntoIterator<Item = u64>, sum_us: u64) -> Self {
        let bounds = bounds_us.iter().copied().map(seconds).chain([f64::INFINITY]);
        Self { buckets: bounds.zip(counts).collect(), sum: seconds(sum_us) }
    }
}

/// Writes families.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

impl Families<'_> {
    /// One value, without a label.
    pub(super) fn value<V: EncodeGaugeValue>(&mut self, family: &Family, value: V) -> Result {
        let Family { name, unit, help } = family;
        let encoder = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    /// One counter, without a label.
    pub(super) fn total<V: EncodeCounterValue>(&mut self, family: &Family, value: V) -> Result {
        let Family { name, unit, help } = family;
        let encoder = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    /// A gauge for each set of labels.
    pub(super) fn gauges<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        family: &Family,
        series: impl IntoIterator<Item = (L, V)>,
    ) -> Result {
        let Family { name, unit, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        for (labels, value) in series {
            encoder.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// A counter for each set of labels.
    pub(super) fn counters<L: EncodeLabelSet, V: EncodeCounterValue>(
        &mut self,
        family: &Family,
        series: impl IntoIterator<Item = (L, V)>,
    ) -> Result {
        let Family { name, unit, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        for (labels, value) in series {
            encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
        Ok(())
    }

    /// A histogram for each set of labels.
    pub(super) fn histograms<L: EncodeLabelSet>(
        &mut self,
        family: &Family,
        series: impl IntoIterator<Item = (L, Distribution)>,
    ) -> Result {
        let Family { name, unit, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Histogram)?;
        for (labels, Distribution { buckets, sum }) in series {
            // What is counted while this is written may be in the one and not yet in the other: the buckets are right.
            let count = buckets.iter().map(|(_, count)| count).sum();
            encoder.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    /// A histogram, without a label.
    pub(super) fn histogram(&mut self, family: &Family, distribution: Distribution) -> Result {
        let Family { name, unit, help } = family;
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Histogram)?;
        let Distribution { buckets, sum } = distribution;
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    /// Labels that say what something is.
    pub(super) fn info<L: EncodeLabelSet>(&mut self, family: &Family, labels: &L) -> Result {
        self.0.encode_descriptor(family.name, family.help, None, MetricType::Info)?.encode_info(labels)
    }

    /// When what is counted here began, as every exporter says it.
    pub(super) fn began(&mut self, started_ms: u64) -> Result {
        let family = Family {
            name: "process_start_time",
            unit: Some(Unit::Seconds),
            help: "When the appliance began to count, in Unix time by its clock: all counters were zero then",
        };
        self.value(&family, Duration::from_millis(started_ms).as_secs_f64())
    }
}

/// A family that is counted in pieces.
pub(super) const fn of(name: &'static str, help: &'static str) -> Family {
    Family { name, unit: None, help }
}

/// A family in seconds.
pub(super) const fn in_seconds(name: &'static str, help: &'static str) -> Family {
    Family { name, unit: Some(Unit::Seconds), help }
}

/// Microseconds as seconds.
pub(super) fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}

/// A label's values with what was counted of each.
pub(super) fn by<'a, const N: usize>(
    label: &'static str,
    names: [&'a str; N],
    values: [u64; N],
) -> impl Iterator<Item = ([(&'static str, &'a str); 1], u64)> {
    names.into_iter().zip(values).map(move |(name, value)| ([(label, name)], value))
}
