// The widest spread between venues of one price, and whether it is wider than ever before. Venues, quotes and the record are of
// decimals, so that no price is rounded.
using System.Collections.Generic;
using System.Linq;
using R3E;

public sealed class Quotes
{
    public Dictionary<string, Quote> Venues { get; set; } = new Dictionary<string, Quote>();
}

public static class Spread
{
    public static object Handle(Quotes quotes)
    {
        var book = Book.Of(quotes.Venues);
        var record = Store.Get<decimal?>("widest") ?? 0m;
        if (book.Width > record)
        {
            Store.Set("widest", book.Width);
            Log.Info($"wider than ever: {book.Buy} to {book.Sell}");
        }
        return new { buy = book.Buy, sell = book.Sell, width = book.Width, record = book.Width > record };
    }
}
