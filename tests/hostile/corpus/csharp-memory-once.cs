// attack: Asks for more memory at once than there is, in C#.
// limit: none
// ends: memory_limit
public static class Attack
{
    public static object Handle()
    {
        return new byte[int.MaxValue / 2].Length;
    }
}
