// attack: Doubles a text without end.
// limit: none
// ends: memory_limit
public static class Attack
{
    public static object Handle()
    {
        var text = "a";
        while (true)
        {
            text += text;
        }
    }
}
