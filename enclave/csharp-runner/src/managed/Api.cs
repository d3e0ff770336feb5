// R3E: what the appliance offers a function. The same as in the other languages; every call waits for its answer.

using System;
using System.Collections.Generic;
using System.Text;

namespace R3E
{
    /// <summary>A host call that was refused or failed; the code is stable, the message is for people.</summary>
    public sealed class HostException : Exception
    {
        /// <summary>What a program decides by, such as <c>denied</c>.</summary>
        public string Code { get; }

        public HostException(string code, string message) : base(message)
        {
            Code = code;
        }
    }

    /// <summary>The function's secrets.</summary>
    public static class Secrets
    {
        /// <summary>The secret's text, or null when there is none of that name.</summary>
        public static string Get(string name)
        {
            return (string)Host.Call("secret_get", "name", Host.Text(name, nameof(name)))["value"];
        }

        /// <summary>Sets a secret that the function may set; durable once this returns.</summary>
        public static void Set(string name, string value)
        {
            Host.Call("secret_set", "name", Host.Text(name, nameof(name)), "value", Host.Text(value, nameof(value)));
        }
    }

    /// <summary>The function's own values, JSON.</summary>
    public static class Store
    {
        /// <summary>The value last set under the key, or null.</summary>
        public static object Get(string key)
        {
            return Get<object>(key);
        }

        /// <summary>The value last set under the key, or the type's default.</summary>
        public static T Get<T>(string key)
        {
            var value = (string)Host.Call("store_get", "key", Host.Text(key, nameof(key)))["value"];
            return value == null ? default(T) : Json.Read<T>(value);
        }

        /// <summary>Keeps a value under the key; durable once this returns.</summary>
        public static void Set(string key, object value)
        {
            Host.Call("store_set", "key", Host.Text(key, nameof(key)), "value", Json.Write(value));
        }

        /// <summary>Forgets the key.</summary>
        public static void Delete(string key)
        {
            Host.Call("store_set", "key", Host.Text(key, nameof(key)), "value", null);
        }
    }

    /// <summary>What became of an event.</summary>
    public sealed class Published
    {
        /// <summary>Triggers that queued a job for it, or had before.</summary>
        public int Queued { get; internal set; }

        /// <summary>Triggers that could not.</summary>
        public int Failed { get; internal set; }
    }

    /// <summary>Events, of the topics that the function was granted.</summary>
    public static class Events
    {
        /// <summary>Publishes an event. The same one again under the same key queues nothing again.</summary>
        public static Published Publish(string topic, object data, string key = null)
        {
            if (key != null)
            {
                Host.Text(key, nameof(key));
            }
            var reply = Host.Call("publish", "topic", Host.Text(topic, nameof(topic)), "data", Json.Write(data), "key", key);
            return new Published { Queued = Convert.ToInt32(reply["queued"]), Failed = Convert.ToInt32(reply["failed"]) };
        }
    }

    /// <summary>A trigger that the function made.</summary>
    public sealed class MadeTrigger
    {
        /// <summary>Its name.</summary>
        public string Name { get; internal set; }

        /// <summary>Whether it was not there before.</summary>
        public bool Created { get; internal set; }
    }

    /// <summary>Triggers that invoke this function, where it may make any.</summary>
    public static class Trigger
    {
        /// <summary>Makes a trigger, such as <c>new { type = "time", schedule = "0 * * * *" }</c>. The same one again is the same
        /// trigger.</summary>
        public static MadeTrigger Create(object definition)
        {
            var reply = Host.Call("trigger_create", "definition", Json.Write(definition));
            return new MadeTrigger { Name = (string)reply["name"], Created = (bool)reply["created"] };
        }

        /// <summary>Deletes a trigger that this function made; false where there is none.</summary>
        public static bool Delete(string name)
        {
            return (bool)Host.Call("trigger_delete", "name", Host.Text(name, nameof(name)))["deleted"];
        }
    }

    /// <summary>What a price feed said last. Numbers are decimal text.</summary>
    public sealed class Price
    {
        /// <summary>The feed's name.</summary>
        public string Feed { get; internal set; }

        /// <summary>What it is the price of, BASE/QUOTE.</summary>
        public string Pair { get; internal set; }

        /// <summary>The price.</summary>
        public string Answer { get; internal set; }

        /// <summary>How far from it the sources are.</summary>
        public string Confidence { get; internal set; }

        /// <summary>The places of both behind the point.</summary>
        public int Decimals { get; internal set; }

        /// <summary>When its sources were compared, in Unix milliseconds.</summary>
        public long ObservedAtMs { get; internal set; }

        /// <summary>When the last second begins in which it is valid.</summary>
        public long ValidUntilMs { get; internal set; }

        /// <summary>One more than in the report before.</summary>
        public long Sequence { get; internal set; }

        /// <summary>Whether it is valid no more, by the appliance's clock.</summary>
        public bool IsStale { get; internal set; }
    }

    /// <summary>A random number, and what proves that it could be no other (RFC 9381). Texts are hex with 0x.</summary>
    public sealed class Randomness
    {
        /// <summary>The number.</summary>
        public long Value { get; internal set; }

        /// <summary>The least that it could be.</summary>
        public long Min { get; internal set; }

        /// <summary>The greatest.</summary>
        public long Max { get; internal set; }

        /// <summary>What it was drawn for.</summary>
        public string Message { get; internal set; }

        /// <summary>The 32 bytes of which the number is made.</summary>
        public string Output { get; internal set; }

        /// <summary>The proof.</summary>
        public string Proof { get; internal set; }

        /// <summary>The tenant's key.</summary>
        public string Key { get; internal set; }

        /// <summary>By the names under which <c>r3e-verify random</c> takes it.</summary>
        public Dictionary<string, object> ToDictionary()
        {
            return new Dictionary<string, object>
            {
                ["value"] = Value, ["min"] = Min, ["max"] = Max, ["message"] = Message, ["output"] = Output, ["proof"] = Proof, ["key"] = Key,
            };
        }
    }

    /// <summary>What an HTTPS endpoint answered, signed by the tenant's oracle keys. Hashes are hex with 0x.</summary>
    public sealed class CustomData
    {
        private readonly Dictionary<string, object> _all;

        internal CustomData(Dictionary<string, object> all)
        {
            _all = all;
        }

        /// <summary>What stands where the path leads: a number as it was written, a text, true or false; empty without a path.</summary>
        public string Value => (string)_all["value"];

        /// <summary>The answer's status, 200 to 299.</summary>
        public int Status => Convert.ToInt32(_all["status"]);

        /// <summary>The body, where it is text; else null.</summary>
        public string Body => Optional("body");

        /// <summary>The body in base64, where it is not text; else null.</summary>
        public string BodyBase64 => Optional("body_base64");

        /// <summary>Whom it was asked of, as it was sent.</summary>
        public string Url => (string)_all["url"];

        /// <summary>When, in Unix seconds, by the appliance's clock.</summary>
        public long ObservedAtS => Convert.ToInt64(_all["observed_at_s"]);

        /// <summary>SHA-256 of the server's certificate.</summary>
        public string Certificate => (string)_all["certificate"];

        /// <summary>All of it, by the names under which <c>r3e-verify data</c> takes it.</summary>
        public Dictionary<string, object> ToDictionary()
        {
            return new Dictionary<string, object>(_all);
        }

        private string Optional(string name)
        {
            return _all.TryGetValue(name, out var value) ? (string)value : null;
        }
    }

    /// <summary>The weather at a place. Numbers are decimal text.</summary>
    public sealed class Weather
    {
        /// <summary>The place that was found.</summary>
        public string Place { get; internal set; }

        /// <summary>Its country, or null.</summary>
        public string Country { get; internal set; }

        /// <summary>Degrees north.</summary>
        public string Latitude { get; internal set; }

        /// <summary>Degrees east.</summary>
        public string Longitude { get; internal set; }

        /// <summary>In UTC, such as 2026-01-31T12:15.</summary>
        public string Time { get; internal set; }

        /// <summary>Degrees Celsius.</summary>
        public string TemperatureC { get; internal set; }

        /// <summary>Percent.</summary>
        public string HumidityPercent { get; internal set; }

        /// <summary>Millimetres.</summary>
        public string PrecipitationMm { get; internal set; }

        /// <summary>Kilometres an hour.</summary>
        public string WindKmh { get; internal set; }

        /// <summary>Where the wind comes from.</summary>
        public string WindDirectionDegrees { get; internal set; }

        /// <summary>By the WMO's table 4677.</summary>
        public string WeatherCode { get; internal set; }

        /// <summary>The signed answer about these coordinates; its value is the temperature.</summary>
        public CustomData Data { get; internal set; }
    }

    /// <summary>The tenant's price feeds, random numbers, and data of any HTTPS endpoint.</summary>
    public static class Oracle
    {
        /// <summary>What an HTTPS endpoint answers, signed. The path says where in the answer the value stands; targets are contracts that it is signed for.</summary>
        public static CustomData GetCustomData(
            string url, IEnumerable<KeyValuePair<string, string>> headers = null, string path = null, IEnumerable<string> targets = null)
        {
            if (path != null)
            {
                Host.Text(path, nameof(path));
            }
            var reply = Host.Call(
                "oracle_data", "url", Host.Text(url, nameof(url)), "headers", Http.Pairs(headers), "path", path, "targets", Named(targets));
            return Signed(reply);
        }

        /// <summary>The weather at a place, by open-meteo.com, whose two hosts the function must have been granted.</summary>
        public static Weather GetWeather(string place, IEnumerable<string> targets = null)
        {
            var reply = Host.Call("oracle_weather", "place", Host.Text(place, nameof(place)), "targets", Named(targets));
            return new Weather
            {
                Place = (string)reply["place"],
                Country = (string)reply["country"],
                Latitude = (string)reply["latitude"],
                Longitude = (string)reply["longitude"],
                Time = (string)reply["time"],
                TemperatureC = (string)reply["temperature_c"],
                HumidityPercent = (string)reply["humidity_percent"],
                PrecipitationMm = (string)reply["precipitation_mm"],
                WindKmh = (string)reply["wind_kmh"],
                WindDirectionDegrees = (string)reply["wind_direction_degrees"],
                WeatherCode = (string)reply["weather_code"],
                Data = Signed(reply),
            };
        }

        private static CustomData Signed(Dictionary<string, object> reply)
        {
            return new CustomData((Dictionary<string, object>)Json.Read<object>((string)reply["data"]));
        }

        private static List<object> Named(IEnumerable<string> targets)
        {
            var named = new List<object>();
            foreach (var target in targets ?? new string[0])
            {
                named.Add(Host.Text(target, nameof(targets)));
            }
            return named;
        }

        /// <summary>A whole number from min to max, at most 2^53 - 1, that nobody can foretell or choose; of a seed, always the same one.</summary>
        public static long GetRandom(long min, long max, string seed = null)
        {
            return GetRandomness(min, max, seed).Value;
        }

        /// <summary>The same, with what proves it.</summary>
        public static Randomness GetRandomness(long min, long max, string seed = null)
        {
            if (min < 0 || max < 0) throw new ArgumentOutOfRangeException(min < 0 ? nameof(min) : nameof(max), "a range begins at 0 or above");
            var reply = Host.Call("oracle_random", "min", min, "max", max, "seed", seed);
            return new Randomness
            {
                Value = Convert.ToInt64(reply["value"]),
                Min = min,
                Max = max,
                Message = (string)reply["message"],
                Output = (string)reply["output"],
                Proof = (string)reply["proof"],
                Key = (string)reply["key"],
            };
        }

        /// <summary>What a feed said last; <c>not_found</c> where there is no such feed, or it has not published.</summary>
        public static Price GetPrice(string feed)
        {
            var reply = Host.Call("oracle_price", "feed", Host.Text(feed, nameof(feed)));
            return new Price
            {
                Feed = (string)reply["feed"],
                Pair = (string)reply["pair"],
                Answer = (string)reply["answer"],
                Confidence = (string)reply["confidence"],
                Decimals = Convert.ToInt32(reply["decimals"]),
                ObservedAtMs = Convert.ToInt64(reply["observed_at_ms"]),
                ValidUntilMs = Convert.ToInt64(reply["valid_until_ms"]),
                Sequence = Convert.ToInt64(reply["sequence"]),
                IsStale = (bool)reply["is_stale"],
            };
        }
    }

    /// <summary>A number that is to be proved to be in a range, and stays hidden.</summary>
    public sealed class HiddenNumber
    {
        /// <summary>The number.</summary>
        public ulong Value { get; set; }

        /// <summary>The least that it may be.</summary>
        public ulong Min { get; set; }

        /// <summary>The greatest.</summary>
        public ulong Max { get; set; }

        /// <summary>What hides it, where its commitment is to be the same as before: hex with 0x.</summary>
        public string Blinding { get; set; }

        internal Dictionary<string, object> Asked()
        {
            var invariant = System.Globalization.CultureInfo.InvariantCulture;
            var asked = new Dictionary<string, object>
            {
                ["value"] = Value.ToString(invariant),
                ["min"] = Min.ToString(invariant),
                ["max"] = Max.ToString(invariant),
            };
            if (Blinding != null)
            {
                asked["blinding"] = Blinding;
            }
            return asked;
        }
    }

    /// <summary>A range proof that was made.</summary>
    public sealed class ProvedRanges
    {
        /// <summary>What can be handed on: JSON text, which <c>r3e zk range verify</c> takes.</summary>
        public string Proof { get; internal set; }

        /// <summary>What hides each number, in order, hex with 0x: whoever has it can open the commitment.</summary>
        public List<string> Blindings { get; internal set; }
    }

    /// <summary>Zero-knowledge proofs.</summary>
    public static class Zk
    {
        /// <summary>Proves that 1 to 16 numbers are in their ranges. The proof is the tenant's, and holds for what the context says alone.</summary>
        public static ProvedRanges CreateRangeProof(IEnumerable<HiddenNumber> numbers, string context = "")
        {
            var hidden = new List<object>();
            foreach (var number in numbers)
            {
                hidden.Add(number.Asked());
            }
            var asked = new Dictionary<string, object> { ["context"] = context ?? "", ["numbers"] = hidden };
            var reply = Host.Call("zk_prove_ranges", "asked", Json.Write(asked));
            var made = (Dictionary<string, object>)Json.Read<object>((string)reply["made"]);
            var blindings = new List<string>();
            foreach (var blinding in (IEnumerable<object>)made["blindings"])
            {
                blindings.Add((string)blinding);
            }
            return new ProvedRanges { Proof = Json.Write(made["proof"]), Blindings = blindings };
        }

        /// <summary>Whether a proof, JSON text, proves what it says: of its owner, its context, its bounds and its commitments.</summary>
        public static bool VerifyRangeProof(string proof)
        {
            return (bool)Host.Call("zk_verify_ranges", "proof", Host.Text(proof, nameof(proof)))["holds"];
        }

        /// <summary>Whether a Groth16 proof proves public signals, decimal text, by a verification key: the JSON texts that snarkjs writes.</summary>
        public static bool VerifyProof(string key, IEnumerable<string> signals, string proof)
        {
            if (signals == null)
            {
                throw new ArgumentNullException(nameof(signals));
            }
            var decimals = new List<object>();
            foreach (var signal in signals)
            {
                decimals.Add(Host.Text(signal, nameof(signals)));
            }
            var asked = new Dictionary<string, object>
            {
                ["key"] = Json.Read<object>(Host.Text(key, nameof(key))),
                ["signals"] = decimals,
                ["proof"] = Json.Read<object>(Host.Text(proof, nameof(proof))),
            };
            return (bool)Host.Call("zk_verify_proof", "asked", Json.Write(asked))["holds"];
        }
    }

    /// <summary>What a contract said.</summary>
    public sealed class ChainAnswer
    {
        /// <summary>The block behind which it was read; on Neo N3, or a later one.</summary>
        public long Height { get; internal set; }

        /// <summary>On Ethereum what the method is declared to return, numbers as decimal text; on Neo N3 the one stack item.</summary>
        public List<object> Values { get; internal set; }

        /// <summary>On Ethereum the data as the contract gave it, hex with 0x; else null.</summary>
        public string Data { get; internal set; }
    }

    /// <summary>A transaction that the function asked for, as far as it is.</summary>
    public sealed class SentTransaction
    {
        internal SentTransaction(Dictionary<string, object> reply)
        {
            Name = (string)reply["name"];
            Stage = (string)reply["stage"];
            Outcome = (string)reply["outcome"];
            Succeeded = (bool?)reply["succeeded"];
            Hash = (string)reply["hash"];
            Height = reply["height"] == null ? (long?)null : Convert.ToInt64(reply["height"]);
            Reason = (string)reply["reason"];
        }

        /// <summary>What it is called.</summary>
        public string Name { get; }

        /// <summary><c>waiting</c>, <c>pending</c>, <c>included</c> or <c>ended</c>.</summary>
        public string Stage { get; }

        /// <summary>Once it has ended: <c>included</c>, <c>abandoned</c>, <c>refused</c> or <c>displaced</c>.</summary>
        public string Outcome { get; }

        /// <summary>Where a block has it: whether it was not reverted.</summary>
        public bool? Succeeded { get; }

        /// <summary>Of what a block has, or of what was signed last.</summary>
        public string Hash { get; }

        /// <summary>The block's height.</summary>
        public long? Height { get; }

        /// <summary>Why it was not done, or what holds it up.</summary>
        public string Reason { get; }
    }

    /// <summary>The networks that the function was granted.</summary>
    public static class Chain
    {
        /// <summary>
        /// What a contract says, as enough of the network's nodes agree. On Ethereum the method is its declaration, or there is the data of the call in place of
        /// it and its arguments; on Neo N3 it is its name, and arguments are <c>new { type = "account", value = "N…" }</c>.
        /// </summary>
        public static ChainAnswer Read(
            string network, string contract, string method = null, IEnumerable<object> args = null, string data = null, long confirmations = 0)
        {
            if (confirmations < 0) throw new ArgumentOutOfRangeException(nameof(confirmations), "no block stands above the last one");
            var reply = Host.Call(
                "chain_read", "network", Host.Text(network, nameof(network)), "contract", Host.Text(contract, nameof(contract)), "method", method,
                "args", Args(args), "data", data, "confirmations", confirmations);
            return new ChainAnswer
            {
                Height = Convert.ToInt64(reply["height"]),
                Values = (List<object>)Json.Read<object>((string)reply["values"]),
                Data = (string)reply["data"],
            };
        }

        /// <summary>
        /// Has a transaction brought onto a granted network by a granted wallet; how far it is. Under one key the same is done once. Amounts are decimal text, in wei or,
        /// on Neo N3, in 10^-8 GAS; there, <c>to</c> is the contract, <c>gasLimit</c> is 0, and <c>scope</c> may be <c>none</c>.
        /// </summary>
        public static SentTransaction Send(
            string wallet, string network, string to, string key, long gasLimit, string feeLimit, string method = null,
            IEnumerable<object> args = null, string data = null, string value = "0", long? timeoutMs = null, string scope = null)
        {
            if (gasLimit < 0) throw new ArgumentOutOfRangeException(nameof(gasLimit), "a limit begins at 0");
            if (timeoutMs < 0) throw new ArgumentOutOfRangeException(nameof(timeoutMs), "a time begins at 0");
            return new SentTransaction(Host.Call(
                "chain_send", "wallet", Host.Text(wallet, nameof(wallet)), "network", Host.Text(network, nameof(network)), "to", Host.Text(to, nameof(to)),
                "method", method, "args", Args(args), "data", data, "value", Host.Text(value, nameof(value)), "gas_limit", gasLimit,
                "fee_limit", Host.Text(feeLimit, nameof(feeLimit)), "scope", scope, "timeout_ms", timeoutMs, "key", Host.Text(key, nameof(key))));
        }

        /// <summary>How far a transaction is that this function asked for.</summary>
        public static SentTransaction Sent(string name)
        {
            return new SentTransaction(Host.Call("chain_sent", "name", Host.Text(name, nameof(name))));
        }

        private static string Args(IEnumerable<object> args)
        {
            var exact = new List<object>();
            foreach (var arg in args ?? new object[0])
            {
                exact.Add(Exactly(arg));
            }
            return Json.Write(exact);
        }

        // Numbers as decimal text, since most readers of JSON round them; bytes as hexadecimal digits.
        private static object Exactly(object value)
        {
            if (value is sbyte || value is byte || value is short || value is ushort || value is int || value is uint || value is long || value is ulong
                || (value != null && value.GetType().FullName == "System.Numerics.BigInteger"))
            {
                return Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
            }
            if (value is byte[])
            {
                return "0x" + BitConverter.ToString((byte[])value).Replace("-", "").ToLowerInvariant();
            }
            if (value is string || !(value is System.Collections.IEnumerable) || value is System.Collections.IDictionary)
            {
                return value;
            }
            var list = new List<object>();
            foreach (var one in (System.Collections.IEnumerable)value)
            {
                list.Add(Exactly(one));
            }
            return list;
        }
    }

    /// <summary>The appliance's attestation.</summary>
    public static class Tee
    {
        /// <summary>A fresh attestation document that commits to the data.</summary>
        public static byte[] GetAttestation(byte[] data = null)
        {
            var encoded = data == null ? null : Convert.ToBase64String(data);
            return Convert.FromBase64String((string)Host.Call("attestation", "data_base64", encoded)["document_base64"]);
        }

        /// <summary>A fresh attestation document that commits to the text, as UTF-8.</summary>
        public static byte[] GetAttestation(string data)
        {
            return GetAttestation(data == null ? null : Encoding.UTF8.GetBytes(data));
        }
    }

    /// <summary>An HTTP response, whole.</summary>
    public sealed class Response
    {
        internal Response(int status, Dictionary<string, string> headers, byte[] body)
        {
            Status = status;
            Headers = headers;
            Body = body;
        }

        /// <summary>The status code.</summary>
        public int Status { get; }

        /// <summary>Whether the status is one of success.</summary>
        public bool Ok => Status >= 200 && Status < 300;

        /// <summary>Names in lower case. A name that came twice has its values joined, as HTTP allows.</summary>
        public IReadOnlyDictionary<string, string> Headers { get; }

        /// <summary>The body.</summary>
        public byte[] Body { get; }

        /// <summary>The body as UTF-8 text.</summary>
        public string Text()
        {
            return Encoding.UTF8.GetString(Body);
        }

        /// <summary>The body as the JSON value that it is.</summary>
        public T Json<T>()
        {
            return R3E.Json.Read<T>(Text());
        }
    }

    /// <summary>HTTPS, to the hosts that the function was granted.</summary>
    public static class Http
    {
        /// <summary>Sends a request with a body of text, or with none.</summary>
        public static Response Fetch(
            string url, string method = "GET", IEnumerable<KeyValuePair<string, string>> headers = null, string body = null)
        {
            return Fetch(url, method, headers, body == null ? null : Encoding.UTF8.GetBytes(body));
        }

        /// <summary>Sends a request with a body of bytes.</summary>
        public static Response Fetch(
            string url, string method, IEnumerable<KeyValuePair<string, string>> headers, byte[] body)
        {
            var reply = Host.Call(
                "fetch", "url", Host.Text(url, nameof(url)), "method", Host.Text(method, nameof(method)).ToUpperInvariant(),
                "headers", Pairs(headers), "body_base64", body == null ? null : Convert.ToBase64String(body));
            var received = new Dictionary<string, string>();
            foreach (List<object> header in (List<object>)reply["headers"])
            {
                var name = (string)header[0];
                var value = (string)header[1];
                received[name] = received.TryGetValue(name, out var before) ? before + ", " + value : value;
            }
            return new Response(
                Convert.ToInt32(reply["status"]), received, Convert.FromBase64String((string)reply["body_base64"]));
        }

        internal static List<object> Pairs(IEnumerable<KeyValuePair<string, string>> headers)
        {
            var pairs = new List<object>();
            foreach (var header in headers ?? new KeyValuePair<string, string>[0])
            {
                pairs.Add(new object[] { header.Key, header.Value });
            }
            return pairs;
        }
    }

    /// <summary>The function's log.</summary>
    public static class Log
    {
        public static void Debug(string text) => Host.Say(Host.LogDebug, text);

        public static void Info(string text) => Host.Say(Host.LogInfo, text);

        public static void Warn(string text) => Host.Say(Host.LogWarn, text);

        public static void Error(string text) => Host.Say(Host.LogError, text);
    }
}
