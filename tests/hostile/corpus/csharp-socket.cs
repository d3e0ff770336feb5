// attack: Opens a connection, in C#.
// limit: none
// ends: function_error/thrown
using System;
using System.Net;
using System.Net.Sockets;
public static class Attack
{
    public static object Handle()
    {
        new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).Connect(new IPEndPoint(IPAddress.Parse("169.254.169.254"), 80));
        return 1;
    }
}
