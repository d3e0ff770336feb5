// attack: Catches whatever would stop it, in C#.
// limit: cpu
// ends: cpu_limit
using System;
public static class Attack
{
    public static object Handle()
    {
        while (true)
        {
            try
            {
                throw new Exception();
            }
            catch
            {
            }
        }
    }
}
