// attack: Gives a value whose parts never end, in C#.
// limit: cpu
// ends: cpu_limit
public static class Attack
{
    private sealed class Endless
    {
        public int Part
        {
            get
            {
                while (true)
                {
                }
            }
        }
    }
    public static object Handle()
    {
        return new Endless();
    }
}
