// attack: Draws the same randomness as its neighbour, in C#.
// limit: none
// ends: output
// again: differ
using System;
public static class Attack
{
    public static object Handle()
    {
        return new Random().Next() + " " + Guid.NewGuid();
    }
}
