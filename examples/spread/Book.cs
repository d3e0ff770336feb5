// Where to buy and where to sell.
using System;
using System.Collections.Generic;
using System.Linq;

public sealed class Quote
{
    public decimal Bid { get; set; }

    public decimal Ask { get; set; }
}

public sealed class Book
{
    public string Buy { get; private set; }

    public string Sell { get; private set; }

    public decimal Width { get; private set; }

    public static Book Of(Dictionary<string, Quote> venues)
    {
        if (venues.Count < 2)
        {
            throw new ArgumentException($"a spread of {venues.Count} venues; two are wanted");
        }
        var buy = venues.OrderBy(venue => venue.Value.Ask).ThenBy(venue => venue.Key, StringComparer.Ordinal).First();
        var sell = venues.OrderByDescending(venue => venue.Value.Bid).ThenBy(venue => venue.Key, StringComparer.Ordinal).First();
        return new Book { Buy = buy.Key, Sell = sell.Key, Width = sell.Value.Bid - buy.Value.Ask };
    }
}
